use crate::{
    Entry, Error, Kind, RelPath,
    content::{BUFFER, read_file},
    dockerfiles::{Dockerfiles, Stands},
    source::Source,
};
use sha2::{Digest as _, Sha256};
use std::{
    num::NonZero,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The first bytes of the canonical form: its name and version.
const FORM: &[u8] = b"sidestep context 1\n";

/// Hashes the files among the entries, in parallel.
pub(crate) fn hash_files(
    entries: &mut [Entry],
    sources: &[Source],
    threads: NonZero<usize>,
) -> Result<(), Error> {
    let files: Vec<Mutex<&mut Entry>> = entries
        .iter_mut()
        .filter(|entry| matches!(entry.kind, Kind::File { .. }))
        .map(Mutex::new)
        .collect();
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), (usize, Error)> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(index) else {
                return Ok(());
            };
            let mut entry = file.lock().expect("no thread panics with it");
            let path = entry.path.clone();
            let source = &sources[entry.source as usize];
            if let Kind::File { size, sha256, .. } = &mut entry.kind {
                let hash = read_file(source, &path, *size, &mut buffer, |_| Ok(()));
                *sha256 = hash.map_err(|error| {
                    // The other threads can stop.
                    next.fetch_add(files.len(), Ordering::Relaxed);
                    (index, error)
                })?;
            }
        }
    };
    let errors = thread::scope(|scope| {
        let count = threads.get().min(files.len());
        let running: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        let ended = running
            .into_iter()
            .map(|thread| thread.join().expect("hashing never panics"));
        ended.filter_map(Result::err).collect::<Vec<_>>()
    });
    match errors.into_iter().min_by_key(|(index, _)| *index) {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// Returns the SHA-256, in hex, of the canonical form of a tree.
pub(crate) fn of(entries: &[Entry], dockerfiles: &Dockerfiles) -> String {
    let mut form = Form::new();
    for entry in entries {
        form.entry(&entry.path, &entry.kind, entry.mode);
    }
    for (path, stands) in dockerfiles.beyond_the_entries() {
        form.dockerfile(path, stands);
    }
    form.digest()
}

/// The canonical form of a tree, hashed as it is written: a line that names the form; then for each
/// entry one letter for kind and mode (`d`, `f`, `x`, `l`), the name, and a file's size and SHA-256
/// or a link's target. Lengths and sizes are 64 bits, little-endian, before the bytes that they
/// measure. A mode that does not follow from the letter is appended as `m` and 32 bits. Then for
/// each Dockerfile that the entries do not determine: `D`, the name, and for a copy `c`, its size
/// and SHA-256.
pub(crate) struct Form(Sha256);

impl Form {
    pub(crate) fn new() -> Self {
        let mut hash = Sha256::new();
        hash.update(FORM);
        Self(hash)
    }

    fn measured(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    pub(crate) fn entry(&mut self, path: &RelPath, kind: &Kind, mode: u32) {
        let letter = match kind {
            Kind::Folder => b"d",
            Kind::File {
                executable: false, ..
            } => b"f",
            Kind::File {
                executable: true, ..
            } => b"x",
            Kind::Link { .. } => b"l",
        };
        self.0.update(letter);
        self.measured(path.as_bytes());
        match kind {
            Kind::Folder => {}
            Kind::File { size, sha256, .. } => {
                self.0.update(size.to_le_bytes());
                self.0.update(sha256);
            }
            Kind::Link { target } => self.measured(target),
        }
        if mode != kind.mode() {
            self.0.update(b"m");
            self.0.update(mode.to_le_bytes());
        }
    }

    pub(crate) fn dockerfile(&mut self, path: &RelPath, stands: &Stands) {
        self.0.update(b"D");
        self.measured(path.as_bytes());
        if let Stands::Copied { size, sha256 } = stands {
            self.0.update(b"c");
            self.0.update(size.to_le_bytes());
            self.0.update(sha256);
        }
    }

    pub(crate) fn digest(self) -> String {
        hex::encode(self.0.finalize())
    }
}
