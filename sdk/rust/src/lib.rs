//! The SDK for Sidestep plugins in Rust.
//!
//! A plugin is one function behind [`macro@plugin`]: typed inputs in, typed
//! outputs or an [`Error`] out. It has access only through the modules of this
//! crate, one per capability. A component imports only what it calls, and may
//! call only what it requests.
//!
//! ```
//! use sidestep::{Step, workspace};
//!
//! /// The file to count.
//! #[sidestep::data]
//! struct Inputs {
//!     /// Its path.
//!     path: String,
//! }
//!
//! #[sidestep::data]
//! struct Outputs {
//!     /// The number of its lines.
//!     lines: usize,
//! }
//!
//! /// Counts the lines of a file.
//! #[sidestep::plugin(name = "count-lines", requests(workspace = "[{'read': [inputs.path]}]"))]
//! fn run(_: &Step, inputs: Inputs) -> sidestep::Result<Outputs> {
//!     let text = workspace::read_to_string(&inputs.path, 1024 * 1024)?;
//!     Ok(Outputs { lines: text.lines().count() })
//! }
//!
//! # fn main() {
//! assert_eq!(sidestep_manifest().name, "count-lines");
//! # }
//! ```
//!
//! The crate depends on the contract (`sdk/wit`), not on the runner.
//!
//! A step is tested with plain `cargo test`: a [host of the test](mod@testing) answers its calls.

#![allow(clippy::result_large_err)] // the contract's failure record is what it is

pub mod artifacts;
pub mod bindings;
mod blob;
mod check;
mod error;
pub mod gcp;
mod help;
pub mod http;
pub mod identity;
pub mod kubernetes;
pub mod log;
mod manifest;
mod parts;
#[doc(hidden)]
pub mod plugin;
#[cfg(all(target_arch = "wasm32", feature = "getrandom"))]
mod random;
pub mod registry;
pub mod secrets;
mod step;
pub mod storage;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod values;
pub mod workspace;

pub use blob::{Blob, Content, Creation, OnExit, Secret};
pub use check::{Check, Diagnostic, Severity};
pub use error::{Class, Error, Owner, Result};
pub use help::Help;
pub use manifest::{API_VERSION, Manifest};
pub use parts::{Encoding, Part, compose};
pub use schemars;
pub use serde;
pub use serde_json;
pub use sidestep_contract::codes;
/// # Examples
///
/// ```
/// use sidestep::google::{Account, Member, Repository, Resource, grant, let_act_as};
///
/// let builder = Account::read("builder@demo.iam.gserviceaccount.com").expect("an account");
/// assert_eq!(builder.project_id(), Some("demo"));
///
/// let workload = Member::workload("demo.svc.id.goog", "builds", "kaniko");
/// let command = let_act_as(builder.address(), &workload).expect("all of it is known");
/// assert!(command.to_line().starts_with("gcloud iam service-accounts add-iam-policy-binding"));
///
/// let images = Repository::of_image("europe-docker.pkg.dev/demo/images/api");
/// let images = Resource::Repository(images.expect("an image of Artifact Registry"));
/// let member = Member::account(builder.address());
/// let command = grant(&images, &member, "roles/artifactregistry.writer");
/// assert!(command.is_some_and(|command| command.to_line().contains("--location europe")));
/// ```
pub use sidestep_contract::google;
/// # Examples
///
/// ```
/// use sidestep::kubectl;
///
/// let command = kubectl::create_account("builds", "kaniko").expect("both are known");
/// assert_eq!(command.to_line(), "kubectl create serviceaccount kaniko -n builds");
/// ```
pub use sidestep_contract::kubectl;
pub use sidestep_contract::{Builder, Command, Value};
/// # Examples
///
/// ```
/// use sidestep::serde_json::from_str;
///
/// #[sidestep::data]
/// struct Inputs {
///     /// The folder to pack.
///     build_folder: String,
///     #[serde(default)]
///     keep: Option<sidestep::Duration>,
/// }
///
/// let inputs: Inputs = from_str(r#"{ "buildFolder": "dist" }"#)?;
/// assert_eq!(inputs.build_folder, "dist");
/// assert!(from_str::<Inputs>(r#"{ "build_folder": "dist" }"#).is_err());
/// # Ok::<(), sidestep::serde_json::Error>(())
/// ```
pub use sidestep_sdk_macros::data;
/// # Examples
///
/// ```
/// use sidestep::{Check, Diagnostic, Step};
///
/// #[sidestep::data]
/// struct Inputs {
///     name: String,
/// }
///
/// #[sidestep::data]
/// struct Outputs {
///     greeting: String,
/// }
///
/// /// Greets somebody.
/// #[sidestep::plugin(name = "greet", check = check, pure)]
/// fn run(_: &Step, inputs: Inputs) -> sidestep::Result<Outputs> {
///     Ok(Outputs { greeting: format!("Hello, {}!", inputs.name) })
/// }
///
/// fn check(_: &Check, inputs: Inputs) -> Vec<Diagnostic> {
///     let empty = || Diagnostic::error("greet.name", "`name` is empty");
///     inputs.name.is_empty().then(empty).into_iter().collect()
/// }
///
/// # fn main() {
/// assert_eq!(sidestep_manifest().description, "Greets somebody.");
/// # }
/// ```
pub use sidestep_sdk_macros::plugin;
pub use step::{Group, Progress, Step};
pub use values::{
    Artifact, Bucket, ByteSize, Cluster, Code, Duration, HelperImage, ImageRef, ParseValueError,
};
