//! The client of clusters against API servers that misbehave.

mod cluster;
mod follow;
mod keep;
mod logs;
mod objects;
