//! The client of Cloud Storage against servers that misbehave.

mod server;
mod storage;
