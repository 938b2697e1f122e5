//! Pipelines, read and planned as the runner does it.

mod bad;
mod budgets;
mod fixtures;
mod good;
mod grants;
mod judged;
mod linear;
mod running;
mod schema;
mod values;
