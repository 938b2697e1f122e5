//! Defines the types that the runner and its plugins share. Nothing in here does any IO, so that
//! it compiles for guests.

mod command;
pub mod google;
mod help;
pub mod kubectl;
mod quote;
#[cfg(test)]
mod tests;
mod word;

pub use command::{Builder, Command};
pub use quote::quoted;
pub use word::{Piece, Value, Word};
