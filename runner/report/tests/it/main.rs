//! The output of the reporters for a run, given its events.

mod json;
mod story;
mod text;
