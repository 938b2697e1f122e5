//! Ignore files: what is left out of a context, by the rules that Docker,
//! BuildKit and kaniko share.
//!
//! The reference is github.com/moby/patternmatcher 0.6.1: `ignorefile.ReadAll`
//! reads a file, `New` checks its patterns and `MatchesOrParentMatches` decides,
//! which is what kaniko calls for every file of a `COPY`. Its peculiarities are
//! kept, since a file that one side takes and the other leaves is a broken
//! build: the tests put the same questions to both.

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
