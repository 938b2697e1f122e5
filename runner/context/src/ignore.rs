//! Ignore files: they decide which paths of a folder are excluded from a build context, exactly as
//! in Docker.
//!
//! The references are `ignorefile.ReadAll` and `New` of github.com/moby/patternmatcher 0.6.1, which
//! read a file and check its patterns, and the walk of github.com/tonistiigi/fsutil
//! (`NewFilterFS`), by which BuildKit sends a context: it calls `MatchesUsingParentResults` for
//! each path and skips folders in which no exception can apply. Their peculiarities are reproduced,
//! and the tests compare the results of both.

mod clean;
mod file;
mod glob;
mod load;
mod pattern;
mod posix;
mod regexp;
mod rules;

pub use clean::clean;
pub use file::{Line, LongLine, read};
pub use load::{Explanation, Ignore, Reason};
pub use pattern::InvalidPattern;
pub use rules::{BadRule, Decision, Inherited, Rule, Rules};
