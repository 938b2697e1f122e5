//! Resumable sessions on disk
//! (<https://cloud.google.com/storage/docs/performing-resumable-uploads>). A session's id is its
//! secret: it is the only credential for an upload.

use crate::{
    OpenError,
    conditions::Conditions,
    content::{Hasher, Incoming},
    error::ApiError,
    object::{Described, Object},
    store::{Store, load, save},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sidestep_sandbox_base::random_id;
use sidestep_sandbox_identity::Caller;
use std::{
    collections::HashMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The unit of chunks, in bytes: all but the last are a multiple of it.
pub(crate) const QUANTUM: u64 = 256 * 1024;

/// The parameters of a new session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NewSession {
    pub(crate) bucket: String,
    pub(crate) name: String,
    pub(crate) described: Described,
    pub(crate) conditions: Conditions,
    pub(crate) caller: Caller,
    pub(crate) total: Option<u64>,
}

/// A session in its stored form.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    spec: NewSession,
    started: Timestamp,
    /// The content file of the object. It is recorded before the object is created, so that a
    /// restart can find out whether the object was created.
    content: Option<String>,
    done: Option<Object>,
}

/// A session, used by one request at a time.
pub(crate) struct Session {
    id: String,
    folder: PathBuf,
    record: Record,
    /// The hashes of the part file, if known.
    hasher: Option<Hasher>,
}

type Known = HashMap<String, Arc<tokio::sync::Mutex<Session>>>;

/// All sessions.
pub(crate) struct Sessions {
    folder: PathBuf,
    life: Duration,
    known: Mutex<Known>,
}

impl Sessions {
    pub(crate) fn open(store: &Store, life: Duration) -> Result<Self, OpenError> {
        let folder = store.uploads();
        let mut known = Known::new();
        let files = fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        for entry in files.map_err(|source| OpenError::io(&folder, source))? {
            let path = entry.path();
            let id = path.file_stem().and_then(|stem| stem.to_str());
            if path.extension().is_none_or(|ext| ext != "json") {
                continue;
            }
            let (Some(id), Some(mut record)) = (id, load::<Record>(&path)?) else {
                continue;
            };
            if let (Some(content), None) = (&record.content, &record.done)
                && let Ok(Some(object)) = store.find(&record.spec.bucket, &record.spec.name, None)
                && object.content == *content
            {
                record.done = Some(object);
            }
            let session = Session {
                id: id.to_owned(),
                folder: folder.clone(),
                record,
                hasher: None,
            };
            let session = Arc::new(tokio::sync::Mutex::new(session));
            known.insert(id.to_owned(), session);
        }
        Ok(Self {
            folder,
            life,
            known: Mutex::new(known),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Only whole inserts and removals happen under the lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn start(&self, spec: NewSession) -> Result<String, ApiError> {
        let id = random_id();
        let session = Session {
            id: id.clone(),
            folder: self.folder.clone(),
            record: Record {
                spec,
                started: Timestamp::now(),
                content: None,
                done: None,
            },
            hasher: Some(Hasher::new()),
        };
        fs::File::create_new(session.part()).map_err(ApiError::disk)?;
        session.save()?;
        let session = Arc::new(tokio::sync::Mutex::new(session));
        self.known().insert(id.clone(), session);
        Ok(id)
    }

    /// Returns the session for exclusive use by this request. Fails with 404 if it never existed or
    /// has ended, and with 410 if it has expired.
    pub(crate) async fn take(
        &self,
        id: &str,
    ) -> Result<tokio::sync::OwnedMutexGuard<Session>, ApiError> {
        let session = self.known().get(id).cloned();
        let session = session.ok_or_else(ApiError::no_session)?.lock_owned().await;
        let age = Timestamp::now().duration_since(session.record.started);
        if Duration::try_from(age).is_ok_and(|age| age >= self.life) {
            session.remove_files();
            return Err(ApiError::session_expired());
        }
        if !self.known().contains_key(id) {
            return Err(ApiError::no_session());
        }
        Ok(session)
    }

    /// Ends a session permanently.
    pub(crate) fn end(&self, session: &Session) {
        self.known().remove(&session.id);
        session.remove_files();
    }
}

impl Session {
    fn file(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.id))
    }

    fn part(&self) -> PathBuf {
        self.file("part")
    }

    fn save(&self) -> Result<(), ApiError> {
        save(&self.file("json"), &self.record)
    }

    fn remove_files(&self) {
        for path in [self.file("json"), self.part()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, "an ended upload session's file stays on disk");
                }
                _ => {}
            }
        }
    }

    pub(crate) fn spec(&self) -> &NewSession {
        &self.record.spec
    }

    pub(crate) fn spec_mut(&mut self) -> &mut NewSession {
        &mut self.record.spec
    }

    pub(crate) fn done(&self) -> Option<&Object> {
        self.record.done.as_ref()
    }

    /// Returns the number of stored bytes. Bytes of an interrupted request count up to the last
    /// whole quantum.
    pub(crate) fn persisted(&mut self) -> Result<u64, ApiError> {
        let size = match fs::metadata(self.part()) {
            Ok(meta) => meta.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(ApiError::disk(error)),
        };
        let kept = size - size % QUANTUM;
        if self
            .hasher
            .as_ref()
            .is_some_and(|hasher| hasher.size() == size)
            && kept == size
        {
            return Ok(size);
        }
        self.truncate(kept).map_err(ApiError::disk)?;
        Ok(kept)
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let file = options.create(true).truncate(false).write(true);
        file.open(self.part())?.set_len(size)?;
        if self.hasher.as_ref().is_none_or(|h| h.size() != size) {
            self.hasher = Some(Hasher::of_file(&self.part())?);
        }
        Ok(())
    }

    /// Opens the part file for appending.
    pub(crate) fn append(&mut self) -> Result<Appending<'_>, ApiError> {
        let path = self.part();
        let file = fs::OpenOptions::new().append(true).open(&path);
        let hasher = match self.hasher.take() {
            Some(hasher) => hasher,
            None => Hasher::of_file(&path).map_err(ApiError::disk)?,
        };
        Ok(Appending {
            file: file.map_err(ApiError::disk)?,
            hasher: self.hasher.insert(hasher),
        })
    }

    /// Turns the bytes into the object.
    pub(crate) fn finish(
        &mut self,
        store: &Store,
        put: crate::store::Put,
    ) -> Result<Object, ApiError> {
        let hasher = match self.hasher.take() {
            Some(hasher) => hasher,
            None => Hasher::of_file(&self.part()).map_err(ApiError::disk)?,
        };
        let incoming = Incoming::adopt(&store.content(), Path::new(&self.part()), hasher)
            .map_err(ApiError::disk)?;
        self.record.content = Some(incoming.id().to_owned());
        self.save()?;
        let spec = self.record.spec.clone();
        let object = store.put(&spec.bucket, &spec.name, spec.described, incoming, put)?;
        self.record.done = Some(object.clone());
        self.save()?;
        Ok(object)
    }
}

/// A part file that is open for appending.
pub(crate) struct Appending<'a> {
    file: fs::File,
    hasher: &'a mut Hasher,
}

impl Appending<'_> {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        // See `Incoming::write` for the reason why this does not use another thread.
        self.file.write_all(bytes).map_err(ApiError::disk)?;
        self.hasher.update(bytes);
        Ok(())
    }
}
