//! Reads a Dockerfile as kaniko reads it: what it takes for an instruction, a flag, a
//! here-document, a variable, a stage, and in which words it refuses the rest.
//!
//! kaniko reads with BuildKit's parser (frontend/dockerfile/parser, instructions and shell of
//! BuildKit 0.32) and then goes its own way with arguments and stages (pkg/dockerfile of kaniko
//! 1.28). Both are followed here to the letter, since a file that kaniko builds must not be
//! refused, and one that it refuses must be found before a pod is started for it. Nothing here
//! does any IO.

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
