//! The capabilities' clients against servers that misbehave.

mod cluster;
mod follow;
mod keep;
mod logs;
mod objects;
mod server;
mod storage;
