//! Reads a Dockerfile as kaniko reads it: instructions, flags, here-documents, variables and
//! stages, and kaniko's messages for errors.
//!
//! kaniko parses with BuildKit's parser (frontend/dockerfile/parser, instructions and shell of
//! BuildKit 0.32) and then handles arguments and stages in its own way (pkg/dockerfile of kaniko
//! 1.28). Both are reproduced exactly, since a file that kaniko builds must not be rejected, and
//! one that it rejects must be found before a pod is started for it. Nothing here does any IO.

mod duration;
mod error;
mod expand;
mod flags;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod glob;
mod heredoc;
mod instruction;
mod lines;
mod lint;
mod mode;
mod mount;
mod node;
mod parse;
mod place;
mod plan;
mod reference;
mod sense;
mod signal;
mod suggest;
pub mod wildcard;
mod words;

pub use duration::duration;
pub use error::Error;
pub use expand::{Expand, Lookup, expand, variables};
pub use flags::Flag;
pub use heredoc::Heredoc;
pub use instruction::{
    Command, Copying, From, Healthcheck, Instruction, Kind, Pair, Source, Variable,
};
pub use lines::Directive;
pub use mode::Mode;
pub use mount::Mount;
pub use parse::{Dockerfile, Stage, parse};
pub use place::place;
pub use plan::{Base, Fault, Origin, Plan, plan};
pub use reference::is_reference;
pub use signal::is_signal;
pub use suggest::nearest;
pub use words::Word;
