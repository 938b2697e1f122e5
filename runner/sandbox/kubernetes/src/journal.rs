//! The store on disk: a snapshot, which is replaced atomically, and a log of the changes since.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sidestep_sandbox_base::disk;

use crate::key::Key;

/// The size of the log, in bytes, at which a snapshot is taken.
const COMPACT_AT: u64 = 8 << 20;

#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    pub(crate) rv: u64,
    pub(crate) key: &'a Key,
    pub(crate) object: Option<&'a Value>,
}

#[derive(Deserialize)]
struct OwnedLine {
    rv: u64,
    key: Key,
    object: Option<Value>,
}

#[derive(Serialize)]
struct Snapshot<'a> {
    rv: u64,
    objects: Vec<(&'a Key, &'a Value)>,
}

#[derive(Deserialize, Default)]
struct OwnedSnapshot {
    rv: u64,
    objects: Vec<(Key, Value)>,
}

#[derive(Debug)]
pub(crate) struct Journal {
    dir: PathBuf,
    changes: File,
    written: u64,
}

impl Journal {
    /// Reads the stored objects and starts with a new snapshot of them.
    pub(crate) fn open(dir: &Path) -> io::Result<(Self, u64, BTreeMap<Key, Value>)> {
        std::fs::create_dir_all(dir)?;
        let snapshot: OwnedSnapshot = match std::fs::read(dir.join("state.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{}: {error}", dir.join("state.json").display()),
                )
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => OwnedSnapshot::default(),
            Err(error) => return Err(error),
        };
        let mut rv = snapshot.rv;
        let mut objects: BTreeMap<Key, Value> = snapshot.objects.into_iter().collect();
        let path = dir.join("changes.jsonl");
        if let Ok(file) = File::open(&path) {
            for line in BufReader::new(file).split(b'\n') {
                // A line that was truncated by a kill was never acknowledged.
                let Ok(line) = serde_json::from_slice::<OwnedLine>(&line?) else {
                    break;
                };
                if line.rv <= rv {
                    continue;
                }
                rv = line.rv;
                match line.object {
                    Some(object) => objects.insert(line.key, object),
                    None => objects.remove(&line.key),
                };
            }
        }
        let changes = OpenOptions::new().create(true).append(true).open(&path)?;
        let mut journal = Self {
            dir: dir.to_owned(),
            changes,
            written: 0,
        };
        journal.save(rv, objects.iter().collect())?;
        Ok((journal, rv, objects))
    }

    pub(crate) fn append(&mut self, line: &Line<'_>) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        if let Err(error) = self.changes.write_all(&bytes) {
            // A partial line would hide all lines after it.
            self.changes.set_len(self.written)?;
            return Err(error);
        }
        self.written += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn wants_snapshot(&self) -> bool {
        self.written > COMPACT_AT
    }

    pub(crate) fn snapshot(
        &mut self,
        rv: u64,
        objects: &BTreeMap<Key, Arc<Value>>,
    ) -> io::Result<()> {
        self.save(rv, objects.iter().map(|(k, v)| (k, &**v)).collect())
    }

    fn save(&mut self, rv: u64, objects: Vec<(&Key, &Value)>) -> io::Result<()> {
        disk::write_json(&self.dir.join("state.json"), &Snapshot { rv, objects })?;
        // Lines up to `rv` are skipped on reading, so a kill between the two steps loses nothing.
        self.changes.set_len(0)?;
        self.written = 0;
        Ok(())
    }
}
