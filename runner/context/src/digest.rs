use crate::{
    Entry, Error, Kind,
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

/// Returns the SHA-256, in hex, of the canonical form: a line that names the form; then for each
/// entry one letter for kind and mode (`d`, `f`, `x`, `l`), the name, and a file's size and SHA-256
/// or a link's target. Lengths and sizes are 64 bits, little-endian, before the bytes that they
/// measure. A mode that does not follow from the letter is appended as `m` and 32 bits. Then for
/// each Dockerfile that the entries do not determine: `D`, the name, and for a copy `c`, its size
/// and SHA-256.
pub(crate) fn of(entries: &[Entry], dockerfiles: &Dockerfiles) -> String {
    let mut hash = Sha256::new();
    let measured = |hash: &mut Sha256, bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    hash.update(FORM);
    for entry in entries {
        let letter = match &entry.kind {
            Kind::Folder => b"d",
            Kind::File {
                executable: false, ..
            } => b"f",
            Kind::File {
                executable: true, ..
            } => b"x",
            Kind::Link { .. } => b"l",
        };
        hash.update(letter);
        measured(&mut hash, entry.path.as_bytes());
        match &entry.kind {
            Kind::Folder => {}
            Kind::File { size, sha256, .. } => {
                hash.update(size.to_le_bytes());
                hash.update(sha256);
            }
            Kind::Link { target } => measured(&mut hash, target),
        }
        if entry.mode != entry.kind.mode() {
            hash.update(b"m");
            hash.update(entry.mode.to_le_bytes());
        }
    }
    for (path, stands) in dockerfiles.beyond_the_entries() {
        hash.update(b"D");
        measured(&mut hash, path.as_bytes());
        if let Stands::Copied { size, sha256 } = stands {
            hash.update(b"c");
            hash.update(size.to_le_bytes());
            hash.update(sha256);
        }
    }
    hex::encode(hash.finalize())
}
