//! Calls of a server that answers as it is told.

mod answers;
mod requests;
mod retries;
mod server;
