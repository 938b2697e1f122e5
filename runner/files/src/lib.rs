//! Opens files for somebody, and judges whose files they are.
//!
//! Who named a path decides how it is opened, and each has a type of its own:
//!
//! - [`Folder`]: a pipeline, a plugin or a diagnostic. Regular files beneath a folder.
//! - [`Patterns`]: a pipeline names a file that the operator's patterns list.
//! - [`given`]: the command line. Pipes and standard input as well, but no device.
//! - [`own`]: the runner itself, where only the user may decide what a file says.
//!
//! Every one of them judges the open file, not its name, and reads at most a limit.

mod error;
mod folder;
pub mod given;
pub mod own;
mod patterns;
mod read;
mod resolve;
mod stat;
mod without_links;

pub use error::{OpenError, What};
pub use folder::{Folder, is_link};
pub use patterns::{BadPattern, Patterns};
pub use read::{read, text};
pub use stat::{Kind, Stat};
