//! What was found in files before anything started, for other programs that show it.

mod github;
mod sarif;

pub use github::{Annotation, github};
pub use sarif::sarif;
