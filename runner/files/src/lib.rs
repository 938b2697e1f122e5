//! Opens files for different sources of a path, and judges who owns them.
//!
//! The source of a path decides how it is opened, and each source has a type of its own:
//!
//! - [`Folder`]: a pipeline, a plugin or a diagnostic. Regular files beneath a folder.
//! - [`Patterns`]: a pipeline. Files that match the operator's patterns.
//! - [`given`]: the command line. Pipes and standard input as well, but no device.
//! - [`own`]: the runner itself. Files whose content only the user may change.
//!
//! Each of them judges the open file, not its name, and reads at most a limit.

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
