//! The APIs, one module each: each takes a call and returns an answer or an error.

pub(crate) mod artifactregistry;
pub(crate) mod container;
pub(crate) mod iam;
pub(crate) mod iamcredentials;
mod oauth;
mod policies;
pub(crate) mod resourcemanager;
pub(crate) mod secretmanager;
pub(crate) mod serviceusage;
pub(crate) mod sts;
