//! The state of runs, as other crates use it.

mod journal;
mod runs;
