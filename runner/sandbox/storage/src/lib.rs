//! Cloud Storage as a server: the JSON API, and the reading part of the XML API, with real bytes in
//! a state directory.
//!
//! [`Access`] decides about callers and permissions. This crate stores no tokens, roles or
//! policies, and does not depend on Kubernetes, registries or scenarios. Bytes of objects are
//! streamed in frames and stored in files, so memory does not grow with them. All state except open
//! connections survives a kill.
//!
//! It does not decompress objects stored with `Content-Encoding: gzip` for clients that do not
//! accept it, keeps no older generations, and has no object ACLs (as under uniform bucket-level
//! access).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod bucket;
mod buckets;
mod call;
mod combine;
mod conditions;
mod content;
mod download;
mod error;
mod list;
mod multipart;
mod object;
mod objects;
mod resume;
mod sessions;
mod store;
mod upload;
mod xml;

pub use bucket::Seed;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use error::ApiError;
use sidestep_sandbox_base::disk::ReadError;
use sidestep_sandbox_identity::Access;
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

/// The lifetime of a resumable session, as documented by Cloud Storage.
pub const SESSION_LIFE: Duration = Duration::from_hours(7 * 24);

/// The Cloud Storage of one sandbox. Clones share it.
#[derive(Clone)]
pub struct Storage(Arc<App>);

pub(crate) struct App {
    store: store::Store,
    sessions: sessions::Sessions,
    access: Arc<dyn Access>,
    http_port: OnceLock<u16>,
}

/// The error for an unreadable state directory.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An I/O error.
    #[error("the sandbox's storage cannot use {path}: {source}")]
    Io {
        /// The path that was read or created.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A file is corrupt.
    #[error("{path} is damaged ({source}); `sidestep sandbox reset` starts from scratch")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        source: serde_json::Error,
    },
}

impl OpenError {
    fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, source }
    }
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io { path, source } => Self::Io { path, source },
            ReadError::Corrupt { path, source } => Self::Corrupt { path, source },
        }
    }
}

/// The error for a bucket that could not be added.
#[derive(Debug, thiserror::Error)]
#[error("bucket `{bucket}`: {message}")]
pub struct SeedError {
    /// The bucket's name.
    pub bucket: String,
    message: String,
}

impl Storage {
    /// Opens the state in a directory, which is created if it does not exist. Only one process at a
    /// time may have it open.
    pub fn open(dir: &Path, access: Arc<dyn Access>) -> Result<Self, OpenError> {
        Self::open_with_session_life(dir, access, SESSION_LIFE)
    }

    /// Like [`Storage::open`], with a given lifetime of resumable sessions.
    pub fn open_with_session_life(
        dir: &Path,
        access: Arc<dyn Access>,
        life: Duration,
    ) -> Result<Self, OpenError> {
        let store = store::Store::open(dir)?;
        let sessions = sessions::Sessions::open(&store, life)?;
        Ok(Self(Arc::new(App {
            store,
            sessions,
            access,
            http_port: OnceLock::new(),
        })))
    }

    /// Sets the port of plain HTTP, for the addresses in responses to clients that omit it in
    /// `Host` (Google's Rust clients do). Only the first call has an effect.
    pub fn set_http_port(&self, port: u16) {
        self.0.http_port.get_or_init(|| port);
    }

    /// Adds a bucket unless it exists, and returns whether it was added. Returns `Err` for a name
    /// that Google would reject, or if the disk fails.
    pub fn seed(&self, seed: &Seed) -> Result<bool, SeedError> {
        if self.0.store.bucket(&seed.name).is_ok() {
            return Ok(false);
        }
        bucket::Bucket::new(seed, store::now())
            .and_then(|bucket| self.0.store.add_bucket(bucket))
            .map(|_| true)
            .map_err(|error| SeedError {
                bucket: seed.name.clone(),
                message: error.text().to_owned(),
            })
    }

    /// Returns the project of a bucket, if the bucket exists.
    pub fn project_of(&self, bucket: &str) -> Option<String> {
        Some(self.0.store.bucket(bucket).ok()?.project)
    }

    /// Returns the router of both APIs: [`Storage::json_router`] and [`Storage::xml_router`].
    pub fn router(&self) -> Router {
        self.json_router().merge(self.xml_router())
    }

    /// Returns the router of `/storage/v1/…`, `/upload/storage/v1/…`, `/resumable/upload/…` and
    /// `/download/storage/v1/…`.
    pub fn json_router(&self) -> Router {
        let bucket = get(buckets::get)
            .patch(buckets::patch)
            .put(buckets::patch)
            .delete(buckets::delete);
        let object = get(objects::get)
            .patch(objects::patch)
            .put(objects::patch)
            .delete(objects::delete);
        let upload = || post(upload::insert).put(resume::put).delete(resume::delete);
        Router::new()
            .route("/storage/v1/b", get(buckets::list).post(buckets::insert))
            .route("/storage/v1/b/{bucket}", bucket)
            .route("/storage/v1/b/{bucket}/storageLayout", get(buckets::layout))
            .route(
                "/storage/v1/b/{bucket}/managedFolders",
                get(buckets::managed_folders),
            )
            .route(
                "/storage/v1/b/{bucket}/iam",
                get(buckets::get_policy).put(buckets::set_policy),
            )
            .route(
                "/storage/v1/b/{bucket}/iam/testPermissions",
                get(buckets::test_permissions),
            )
            .route(
                "/storage/v1/b/{bucket}/o",
                get(list::objects).post(upload::insert),
            )
            .route("/storage/v1/b/{bucket}/o/{object}", object)
            .route(
                "/storage/v1/b/{bucket}/o/{object}/compose",
                post(combine::compose),
            )
            .route(
                "/storage/v1/b/{from}/o/{source}/copyTo/b/{bucket}/o/{object}",
                post(combine::copy),
            )
            .route(
                "/storage/v1/b/{from}/o/{source}/rewriteTo/b/{bucket}/o/{object}",
                post(combine::rewrite),
            )
            .route("/upload/storage/v1/b/{bucket}/o", upload())
            .route("/resumable/upload/storage/v1/b/{bucket}/o", upload())
            .route(
                "/download/storage/v1/b/{bucket}/o/{object}",
                get(objects::media),
            )
            .route("/storage/v1/{*rest}", axum::routing::any(unknown))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&self.0))
    }

    /// Returns the router of `GET|HEAD /BUCKET/OBJECT`. Its route matches every path of two or more
    /// segments that no other route matches.
    pub fn xml_router(&self) -> Router {
        Router::new()
            .route("/{bucket}/{*object}", get(xml::get))
            .with_state(Arc::clone(&self.0))
    }
}

async fn unknown() -> ApiError {
    ApiError::not_found()
}
