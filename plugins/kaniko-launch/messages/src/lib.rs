//! The error messages of kaniko 1.28.3 and their meanings.
//!
//! kaniko wraps errors: an outer prefix names the phase, links follow, and a cause ends the line.
//! [`CAUSES`] holds the causes that have an answer, [`sites()`] every place in kaniko's own source
//! that creates an error, and [`Kind`] the class, code, owner and help of each answer. The matcher
//! of `kaniko-launch` and the page `docs/reference/kaniko-messages.md` are made from these tables.

mod cause;
mod causes;
mod final_line;
mod kind;
mod page;
mod phase;
mod site;
mod sites;

pub use cause::{Cause, FoundCause, classify};
pub use causes::{CAUSES, EXAMPLES};
pub use final_line::{FinalLine, PATTERNS};
pub use kind::{Class, Facts, Kind, Owner};
pub use page::page;
pub use phase::Phase;
pub use site::{Role, Site, Source};
pub use sites::sites;
