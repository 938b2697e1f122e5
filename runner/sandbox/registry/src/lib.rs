//! An OCI distribution registry that refuses and names things like Artifact
//! Registry (<https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>).
//!
//! A repository path begins with the real host (`/v2/europe-docker.pkg.dev/…`,
//! as the endpoint setting maps it), or the request's `Host` is that host.
//! Who calls and what they may do is asked of [`Access`], which repositories
//! there are of [`Repositories`]; this crate holds no token and no policy, and
//! knows nothing of Kubernetes, builds or scenarios. Bytes pass through in
//! frames and lie in files under their digest; the state directory is all the
//! memory there is, so it survives a kill.
//!
//! Bytes of deleted blobs stay on disk, since other repositories may share them.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod auth;
mod blobs;
mod digest;
mod disk;
mod failure;
mod listing;
mod manifests;
mod name;
mod params;
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

/// The Artifact Registry repositories that there are.
pub trait Repositories: Send + Sync + 'static {
    /// Whether a [`Resource::Repository`] exists.
    fn exists(&self, repository: &Resource) -> bool;

    /// Makes a `gcr.io` repository on its first push, by a caller who may;
    /// says whether it was made. Without this, none is.
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

/// Put this into a request's extensions when it came in over TLS, so that the
/// token service's address says `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverTls;

/// The state directory could not be used.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox's registry cannot use {path}: {source}")]
pub struct OpenError {
    /// What was read or made.
    pub path: PathBuf,
    /// Why not.
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
    /// Opens the state in a directory, which is made where it isn't there.
    /// One process at a time may have it open.
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

    /// Tells the port that plain HTTP is served on, for clients that leave it
    /// out of `Host`. The first call counts.
    pub fn set_http_port(&self, port: u16) {
        self.0.http_port.get_or_init(|| port);
    }

    /// Everything under `/v2/`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/v2", get(routes::ping))
            .route("/v2/", get(routes::ping))
            .route("/v2/token", get(token::issue))
            .route("/v2/{*rest}", any(routes::dispatch))
            .with_state(Arc::clone(&self.0))
    }
}
