//! The HTTP server: requests, objects, lists, watches and logs.

pub(crate) mod about;
pub(crate) mod body;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod logs;
pub(crate) mod protobuf;
mod quota;
pub(crate) mod read;
pub(crate) mod removal;
pub(crate) mod request;
pub(crate) mod review;
pub(crate) mod route;
pub(crate) mod update;
pub(crate) mod watch;
pub(crate) mod write;
