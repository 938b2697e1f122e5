//! Pipelines read and planned as the runner does it.

mod bad;
mod fixtures;
mod good;
mod grants;
mod running;
mod schema;
