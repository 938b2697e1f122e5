//! Packs a folder for a builder.

use std::io;
use std::path::Path;
use std::sync::Arc;

use sidestep_context::{
    ChangedMode, Kind, Overlay, PACKER, Tree, ignore::Rules, pack, unpack_within,
};
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_files::Folder;
use sidestep_gate::{Blob, Gate, Space};
use sidestep_policy::workspace::WholeFolderCall;
use tempfile::TempDir;

use super::paths;
use super::{Workspace, wit};

/// A plugin's request to pack a folder.
pub(super) struct Wanted {
    pub(super) path: String,
    pub(super) dockerfile: Option<String>,
    pub(super) ignore: Vec<String>,
    pub(super) overlays: Vec<(Blob, String)>,
    pub(super) keep_modes: bool,
    pub(super) largest: usize,
}

/// The result of packing.
pub(super) struct Packed {
    pub(super) blob: Blob,
    pub(super) digest: String,
    pub(super) name: String,
    pub(super) packer: String,
    pub(super) entries: u64,
    pub(super) size: u64,
    pub(super) ignored: u64,
    pub(super) skipped: Vec<wit::SkippedEntry>,
    pub(super) modes: Vec<wit::ChangedMode>,
    pub(super) largest: Vec<wit::LargeFile>,
}

impl Workspace {
    /// Reads a folder's context and computes its name. The archive is created when the blob is
    /// first read: a context that is already stored is never compressed.
    pub(super) fn pack(&self, gate: &Gate, wanted: Wanted) -> Result<Packed, Failure> {
        let folder = self.whole_folder(gate, &wanted.path)?;
        check_patterns(&wanted.ignore)?;
        let (overlays, laid) = self.lay(gate, wanted.overlays)?;
        let below = folder.path().to_owned();
        let mut options = sidestep_context::Options::new(folder);
        options.exclude = self
            .0
            .hidden
            .iter()
            .map(|at| self.0.folder.path().join(at))
            .filter(|at| at.starts_with(&below))
            .collect();
        options.ignore = wanted.ignore;
        options.overlays = overlays;
        options.keep_modes = wanted.keep_modes;
        if let Some(dockerfile) = wanted.dockerfile {
            options.dockerfile = dockerfile.into();
        }
        let tree = Tree::read(&options).map_err(|error| failure(&error))?;
        let report = tree.report();
        let mut name = tree.archive_name();
        if self.0.unverified {
            name.insert_str(0, "unverified/");
        }
        let digest = format!("sha256:{}", tree.digest());
        let largest = largest(&tree, wanted.largest);
        let tree = Arc::new(tree);
        Ok(Packed {
            blob: Blob::made(self.0.scratch.clone(), gate.disk().space(), move |out| {
                // The overlays stay on disk as long as the blob.
                let _laid = &laid;
                pack(&tree, out).map(drop).map_err(io::Error::other)
            }),
            digest,
            name,
            packer: PACKER.to_owned(),
            entries: report.entries,
            size: report.bytes,
            ignored: report.ignored,
            skipped: report
                .skipped
                .into_iter()
                .map(|skipped| wit::SkippedEntry {
                    path: skipped.path,
                    reason: skipped.what.to_owned(),
                })
                .collect(),
            modes: report.modes.iter().map(changed).collect(),
            largest,
        })
    }

    /// Opens a folder of which the step may read everything. The check comes before any entry is
    /// read, since both the packed files and the refusals would reveal the contents.
    fn whole_folder(&self, gate: &Gate, path: &str) -> Result<Folder, Failure> {
        let path = paths::clean(path)?;
        let permits = |folder: &str| gate.permits(&WholeFolderCall { folder });
        permits(&path)?;
        let judge = self.judge(&path, gate.leads(&path), permits);
        let opened = self.0.folder.folder(Path::new(&path), judge);
        let (_, folder) = opened.map_err(|error| error.failure("read", &path))?;
        Ok(folder)
    }

    /// Writes the overlays to disk: a tree unpacked, other blobs as one file.
    fn lay(
        &self,
        gate: &Gate,
        blobs: Vec<(Blob, String)>,
    ) -> Result<(Vec<Overlay>, Option<Laid>), Failure> {
        if blobs.is_empty() {
            return Ok((Vec::new(), None));
        }
        let mut space = gate.disk().space();
        let folder = TempDir::new_in(&self.0.scratch).map_err(|error| unlaid(&error))?;
        let mut overlays = Vec::with_capacity(blobs.len());
        for (index, (blob, at)) in blobs.into_iter().enumerate() {
            let source = folder.path().join(index.to_string());
            let laid = lay_one(&blob, &source, &mut space);
            laid.map_err(|failure| match space.refused() {
                Some(full) => full.failure("overlay files on the context"),
                None => failure,
            })?;
            overlays.push(Overlay {
                source,
                at: at.into(),
            });
        }
        let laid = Laid {
            _folder: folder,
            _space: space,
        };
        Ok((overlays, Some(laid)))
    }
}

/// The overlays on disk, and their space; both are given back with the blob.
struct Laid {
    _folder: TempDir,
    _space: Space,
}

fn lay_one(blob: &Blob, source: &Path, space: &mut Space) -> Result<(), Failure> {
    let io = |error: io::Error| unlaid(&error);
    let mut reader = blob.reader().map_err(io)?;
    if blob.is_tree() {
        std::fs::create_dir(source).map_err(io)?;
        let mut take = |bytes| Ok(space.take(bytes)?);
        unpack_within(reader, source, &mut take).map_err(|error| failure(&error))?;
        return Ok(());
    }
    space
        .take(reader.size())
        .map_err(|full| full.failure("overlay files on the context"))?;
    let mut file = std::fs::File::create_new(source).map_err(io)?;
    io::copy(&mut reader, &mut file).map_err(io)?;
    Ok(())
}

fn unlaid(error: &io::Error) -> Failure {
    Failure::new(
        Class::Failed,
        codes::workspace::IO,
        Owner::Operator,
        format!("can't overlay files on the context: {error}"),
    )
}

fn changed(mode: &ChangedMode) -> wit::ChangedMode {
    wit::ChangedMode {
        about: mode.to_string(),
        matters: mode.matters(),
        count: mode.count,
        example: mode.example.clone(),
    }
}

fn check_patterns(patterns: &[String]) -> Result<(), Failure> {
    let numbered = patterns.iter().map(|pattern| (0, pattern.as_bytes()));
    Rules::new(numbered).map(drop).map_err(|bad| {
        Failure::new(
            Class::InvalidInput,
            codes::context::PATTERN,
            Owner::Author,
            format!(
                "`{}` is not a valid ignore pattern: {}",
                bad.rule.text,
                bad.problem.reason()
            ),
        )
    })
}

fn largest(tree: &Tree, count: usize) -> Vec<wit::LargeFile> {
    let mut files: Vec<_> = tree
        .entries()
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::File { .. }))
        .collect();
    files.sort_by_key(|entry| std::cmp::Reverse(entry.kind.size()));
    files
        .into_iter()
        .take(count)
        .map(|entry| wit::LargeFile {
            path: entry.path.to_str_lossy().into_owned(),
            size: entry.kind.size(),
        })
        .collect()
}

fn failure(error: &sidestep_context::Error) -> Failure {
    use sidestep_context::Error;
    let (class, code, owner) = match error {
        Error::NotAFolder { .. } => (
            Class::InvalidInput,
            codes::context::NOT_A_FOLDER,
            Owner::Author,
        ),
        Error::Pattern { .. } | Error::LongLine { .. } | Error::IgnoreFile { .. } => {
            (Class::InvalidInput, codes::context::PATTERN, Owner::Author)
        }
        Error::Changed { .. } => (Class::Conflict, codes::context::CHANGED, Owner::Author),
        Error::Overlay { .. } => (Class::InvalidInput, codes::context::OVERLAY, Owner::Author),
        Error::Refused { .. } => (Class::Refused, codes::context::REFUSED, Owner::Author),
        _ => (Class::Failed, codes::context::IO, Owner::Operator),
    };
    Failure::new(class, code, owner, error.to_string())
}
