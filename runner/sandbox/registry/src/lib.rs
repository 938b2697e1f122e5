//! An OCI distribution registry with the errors and names of Artifact Registry
//! (<https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>).
//!
//! A repository path begins with the real host (`/v2/europe-docker.pkg.dev/…`, as the endpoint
//! setting maps it), or the request's `Host` is that host. [`Access`] decides about callers and
//! permissions, and [`Repositories`] about the existence of repositories. This crate stores no
//! tokens and no policies, and does not depend on Kubernetes, builds or scenarios. Bytes are
//! streamed in frames and stored in files named by their digest. The state directory is the only
//! state, so it survives a kill.
//!
//! Bytes of deleted blobs stay on disk, since other repositories may share them.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod auth;
mod blobs;
mod digest;
mod disk;
mod error;
mod listing;
mod manifests;
mod name;
mod referrers;
mod routes;
mod tags;
mod token;
mod uploads;

pub use listing::ListedImage;

use axum::{
    Router,
    routing::{any, get},
};
use sidestep_sandbox_identity::{Access, Resource};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// The existing Artifact Registry repositories.
pub trait Repositories: Send + Sync + 'static {
    /// Returns whether a [`Resource::Repository`] exists.
    fn exists(&self, repository: &Resource) -> bool;

    /// Creates a `gcr.io` repository on its first push by a caller with permission, and returns
    /// whether it was created. The default creates none.
    fn create(&self, repository: &Resource) -> bool {
        let _ = repository;
        false
    }
}

impl<F: Fn(&Resource) -> bool + Send + Sync + 'static> Repositories for F {
    fn exists(&self, repository: &Resource) -> bool {
        self(repository)
    }
}

/// The error for an unusable state directory.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox's registry cannot use {path}: {source}")]
pub struct OpenError {
    /// The path that was read or created.
    pub path: PathBuf,
    /// The I/O error.
    pub source: io::Error,
}

/// The registry of one sandbox. Clones share it.
#[derive(Clone)]
pub struct Registry(Arc<App>);

pub(crate) struct App {
    disk: disk::Disk,
    uploads: uploads::Uploads,
    access: Arc<dyn Access>,
    repositories: Arc<dyn Repositories>,
    http_port: OnceLock<u16>,
}

impl Registry {
    /// Opens the state in a directory, which is created if it does not exist. Only one process at a
    /// time may have it open.
    pub fn open(
        dir: &Path,
        access: Arc<dyn Access>,
        repositories: Arc<dyn Repositories>,
    ) -> Result<Self, OpenError> {
        let disk = disk::Disk::open(dir)?;
        let uploads = uploads::Uploads::open(&dir.join("uploads"))?;
        Ok(Self(Arc::new(App {
            disk,
            uploads,
            access,
            repositories,
            http_port: OnceLock::new(),
        })))
    }

    /// Sets the port of plain HTTP, for clients that omit it in `Host`. Only the first call has an
    /// effect.
    pub fn set_http_port(&self, port: u16) {
        self.0.http_port.get_or_init(|| port);
    }

    /// Returns the router of everything under `/v2/`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/v2", get(routes::ping))
            .route("/v2/", get(routes::ping))
            .route("/v2/token", get(token::issue))
            .route("/v2/{*rest}", any(routes::dispatch))
            .with_state(Arc::clone(&self.0))
    }
}
