//! Defines the types that the runner and its plugins share. This crate does no IO, so that it
//! compiles for guests.

mod capability;
mod class;
pub mod codes;
mod command;
pub mod google;
mod help;
pub mod image;
pub mod kubectl;
mod names;
mod owner;
mod plugin_name;
mod quote;
pub mod registry;
#[cfg(test)]
mod tests;
pub mod units;
mod word;

pub use capability::{ALWAYS, Capability, is_always_linked};
pub use class::Class;
pub use command::{Builder, Command};
pub use image::Image;
pub use owner::Owner;
pub use plugin_name::{PLUGIN_NAME, is_plugin_name};
pub use quote::quoted;
pub use word::{Piece, Value, Word};
