//! Whole runs with scripted steps: no plugin, no network.

mod cancel;
mod course;
mod resume;
mod script;
