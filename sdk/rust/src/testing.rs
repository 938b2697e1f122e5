//! Tests of a step with plain `cargo test`: a [`Host`] answers the step's calls.
//!
//! A test sets an answer for each function that the step calls, runs the step, and checks its
//! outputs, its calls and its log. The functions that set answers have the names of the
//! capabilities and of their functions. An answer is a closure: it gets the arguments of the call, and
//! returns what the contract (`sdk/wit`) says. A function that takes a list of queries is answered query
//! by query.
//!
//! ```
//! use sidestep::serde_json::json;
//! use sidestep::testing::Host;
//! use sidestep::{Step, workspace};
//!
//! #[sidestep::data]
//! struct Inputs {
//!     path: String,
//! }
//!
//! #[sidestep::data]
//! struct Outputs {
//!     lines: usize,
//! }
//!
//! fn run(_: &Step, inputs: Inputs) -> sidestep::Result<Outputs> {
//!     let text = workspace::read_to_string(&inputs.path, 1024)?;
//!     sidestep::info!(path = inputs.path; "read {} bytes", text.len());
//!     Ok(Outputs { lines: text.lines().count() })
//! }
//!
//! let host = Host::new();
//! host.workspace().read(|_path, _max| Ok(b"one\ntwo".to_vec()));
//! let outputs = host.run(run, json!({ "path": "README.md" }))?;
//! assert_eq!(outputs.lines, 2);
//! assert_eq!(host.calls(), [r#"workspace::read("README.md", 1024)"#]);
//! assert_eq!(host.log(), ["info: read 7 bytes, path=README.md"]);
//! # Ok::<(), sidestep::Error>(())
//! ```
//!
//! A call without an answer fails the test; the message names the call, its arguments and the line to
//! add. No time passes: [`Step::sleep`] only moves the host's clock.
//!
//! This module exists only in native programs, not in the step's module.

mod encoding;
pub(crate) mod held;
mod host;
pub(crate) mod runtime;
mod state;

/// The contract's answer to `kubernetes::create`, whose object is JSON text.
pub use crate::bindings::sidestep::kubernetes::objects::Created as CreatedObject;
/// The contract's answer to each `kubernetes::list`, whose objects are JSON texts.
pub use crate::bindings::sidestep::kubernetes::objects::Listing as ListedObjects;
pub use held::{blob, blob_of, bytes, follow, follow_by, secret, text};
pub use host::Host;
pub(crate) use state::{Bytes, Function, call};

#[cfg(doc)]
use crate::Step;

#[cfg(test)]
mod tests;
