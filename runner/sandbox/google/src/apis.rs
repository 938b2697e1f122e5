//! The APIs, one module each: a call in, an answer or a refusal out.

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
