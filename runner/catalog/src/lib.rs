//! Finds plugins and reads their metadata, without running anything.
//!
//! [`Component::read`] checks a component's size and extracts its manifest, its imports and its
//! digest. [`Catalog`] finds the component that a step's `uses` names: one that is built into the
//! runner, or a file in the workspace.
//!
//! This crate must not know how a component is compiled, linked or run.

mod api;
mod component;
mod error;
mod file;
mod find;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod pages;
mod shape;

pub use api::ApiRange;
pub use component::{Component, Import, MAX_COMPONENT, MAX_MANIFEST, SECTION, validate};
pub use error::PluginError;
pub use find::{BuiltIn, Catalog, Package};
pub use pages::Pages;
pub use shape::MAX_INSTANCES;
