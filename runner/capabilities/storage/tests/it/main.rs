//! The Cloud Storage client against misbehaving servers.

mod server;
mod storage;
