//! The contract with the evaluator: questions about untrusted expressions, schemas, patterns and
//! conditions, and the answers.
//!
//! The planner and the sandbox ask through [`Evaluator`]. The host implements it with a WebAssembly module that
//! runs within limits of steps and memory. The module is the crate `guest` beside this one; it
//! reads a [`Question`] and writes an [`Answer`] as JSON.
//!
//! The types of expressions are checked here as well, on the [`Tree`] that the evaluator returns.
//!
//! This crate must not depend on libraries for CEL or JSON Schema, or on wasmtime, so that neither the planner, the sandbox
//! nor the host depends on their libraries.

mod analysis;
mod evaluator;
mod federation;
mod kind;
mod plain;
mod question;
mod reserved;
mod stopped;
mod tree;
pub mod types;

pub use analysis::{Analysis, Comparison, Reference};
pub use evaluator::{Absent, Evaluator};
pub use federation::{Claim, Federated, Part, conjuncts, federate};
pub use kind::Kind;
pub use plain::plain;
pub use question::{
    Answer, Attributes, Finding, MAX_CONDITION, MAX_EXPRESSION, Question, Statuses, Truth,
};
pub use reserved::RESERVED;
pub use stopped::{Budget, Stopped};
pub use tree::{Fold, Literal, Node, Span, Tree};
