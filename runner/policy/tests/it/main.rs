//! Scopes against pods, and the intersection of requests, grants and policies.

mod meeting;
mod plugins;
mod pods;
