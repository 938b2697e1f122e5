//! The cluster client against misbehaving API servers.

mod cluster;
mod follow;
mod keep;
mod logs;
mod objects;
