//! Ignore files: which paths of a folder stay out of a build context, exactly as Docker decides.
//!
//! The references are `ignorefile.ReadAll` and `New` of github.com/moby/patternmatcher 0.6.1, which
//! read a file and check its patterns, and the walk of github.com/tonistiigi/fsutil (`NewFilterFS`),
//! by which BuildKit sends a context: it asks `MatchesUsingParentResults` about each path and turns
//! back at folders in which no exception can count. Their peculiarities are kept, and the tests put
//! the same questions to both.

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
