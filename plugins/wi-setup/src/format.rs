//! Prints the wanted state for people who don't let a tool make changes.

pub(crate) mod config_connector;
pub(crate) mod gcloud;
mod labels;
pub(crate) mod terraform;
