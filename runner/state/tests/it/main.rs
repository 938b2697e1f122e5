//! The state of runs, as other crates use it.

mod damage;
mod journal;
mod lines;
mod own;
mod runs;
