//! The cluster client against misbehaving API servers.

mod cluster;
mod deletions;
mod follow;
mod keep;
mod lists;
mod logs;
mod objects;
