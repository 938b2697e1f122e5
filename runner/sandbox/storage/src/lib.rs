//! Cloud Storage as a server: the JSON API, and what readers need of the XML
//! API, on real bytes in a state directory.
//!
//! Who calls and what they may do is asked of [`Access`]; this crate holds no
//! token, no role and no policy, and knows nothing of Kubernetes, registries or
//! scenarios. Object bytes pass through in frames and lie in files, so memory
//! does not grow with them. All but open connections survives a kill.
//!
//! It does not decompress objects stored with `Content-Encoding: gzip` for
//! clients that do not take it, keeps no older generations, and has no object
//! ACLs (as under uniform bucket-level access).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod bucket;
mod buckets;
mod call;
mod combine;
mod conditions;
mod content;
mod download;
mod failure;
mod list;
mod mask;
mod multipart;
mod object;
mod objects;
mod params;
mod resume;
mod sessions;
mod store;
mod upload;
mod xml;

pub use address::OverTls;
pub use bucket::Seed;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use failure::Failure;
use sidestep_sandbox_identity::Access;
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

/// How long a resumable session lives, as Cloud Storage documents it.
pub const SESSION_LIFE: Duration = Duration::from_hours(7 * 24);

/// Cloud Storage of one sandbox. Clones share it.
#[derive(Clone)]
pub struct Storage(Arc<App>);

pub(crate) struct App {
    store: store::Store,
    sessions: sessions::Sessions,
    access: Arc<dyn Access>,
    http_port: OnceLock<u16>,
}

/// The state directory could not be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system refused.
    #[error("the sandbox's storage cannot use {path}: {source}")]
    Io {
        /// What was read or made.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file does not hold what this crate writes there.
    #[error(
        "{path} is not what the sandbox's storage wrote there ({source}); `sidestep sandbox reset` starts afresh"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What its parser said.
        source: serde_json::Error,
    },
}

impl OpenError {
    fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, source }
    }

    fn corrupt(path: &Path, source: serde_json::Error) -> Self {
        let path = path.to_owned();
        Self::Corrupt { path, source }
    }
}

/// A bucket that could not be added.
#[derive(Debug, thiserror::Error)]
#[error("bucket `{bucket}`: {message}")]
pub struct SeedError {
    /// The bucket's name.
    pub bucket: String,
    message: String,
}

impl Storage {
    /// Opens the state in a directory, which is made where it isn't there.
    /// One process at a time may have it open.
    pub fn open(dir: &Path, access: Arc<dyn Access>) -> Result<Self, OpenError> {
        Self::open_with_session_life(dir, access, SESSION_LIFE)
    }

    /// Like [`Storage::open`], with resumable sessions that live as long as is said.
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

    /// Tells the port that plain HTTP is served on, for the addresses in answers
    /// to clients that leave it out of `Host` (Google's Rust clients do). The
    /// first call counts.
    pub fn set_http_port(&self, port: u16) {
        self.0.http_port.get_or_init(|| port);
    }

    /// Adds a bucket unless it is there already; says whether it was added.
    /// `Err` for a name that Google would refuse, or a disk that does.
    pub fn seed(&self, seed: &Seed) -> Result<bool, SeedError> {
        if self.0.store.bucket(&seed.name).is_ok() {
            return Ok(false);
        }
        bucket::Bucket::new(seed, store::now())
            .and_then(|bucket| self.0.store.add_bucket(bucket))
            .map(|_| true)
            .map_err(|failure| SeedError {
                bucket: seed.name.clone(),
                message: failure.text().to_owned(),
            })
    }

    /// The project that owns a bucket, if there is that bucket.
    pub fn project_of(&self, bucket: &str) -> Option<String> {
        Some(self.0.store.bucket(bucket).ok()?.project)
    }

    /// Both APIs: [`Storage::json_router`] and [`Storage::xml_router`].
    pub fn router(&self) -> Router {
        self.json_router().merge(self.xml_router())
    }

    /// `/storage/v1/…`, `/upload/storage/v1/…`, `/resumable/upload/…` and
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

    /// `GET|HEAD /BUCKET/OBJECT`. Its route takes every path of two segments
    /// or more that no other route takes.
    pub fn xml_router(&self) -> Router {
        Router::new()
            .route("/{bucket}/{*object}", get(xml::get))
            .with_state(Arc::clone(&self.0))
    }
}

async fn unknown() -> Failure {
    Failure::not_found()
}
