//! The sandbox's kaniko against one small server that emulates storage, metadata and a registry.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod builds;
mod confined;
mod copies;
mod credentials;
mod dockerfiles;
mod failures;
mod server;
