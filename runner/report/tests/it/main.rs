//! What the reporters write for a run, given its events.

mod json;
mod story;
mod text;
