//! Writes a program of this machine as container images, without a container engine: the program,
//! the shared libraries that it needs, the loader, certificates and a few files that clients expect.
//!
//! One archive holds two images of the same layer, whose entry points are the runner and its kaniko.
//! It is an OCI layout and what `docker save` writes in one, so that containerd, Docker, podman,
//! kind and minikube load it. The same program and libraries give the same bytes.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod archive;
mod digest;
mod error;
mod folders;
mod layer;
mod libraries;
mod object;
mod root;
mod write;

pub use archive::{Image, Written, runner};
pub use error::ImageError;
pub use write::{write, write_file};

#[cfg(test)]
mod tests;
