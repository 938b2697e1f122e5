//! Scopes against pods, and the meeting of requests, grants and policies.

mod meeting;
mod plugins;
mod pods;
