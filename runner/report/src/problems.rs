//! Shows problems found before a run starts, to people and to other programs.

mod excerpt;
mod found;
mod github;
mod render;
mod sarif;
mod source;

pub use found::Problems;
pub use github::{Annotation, github};
pub use sarif::sarif;
pub use source::SourceText;
