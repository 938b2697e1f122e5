//! Looking at entries and reading files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use cap_std::fs::{Metadata, MetadataExt as _};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use sidestep_events::{Class, Failure, Owner};
use sidestep_policy::workspace::Request;

use super::paths::{self, ROOT, failure};
use super::{Workspace, wit};
use crate::Gate;

/// The most entries that one `list` looks at.
const MAX_LOOKED_AT: usize = 1_000_000;

impl Workspace {
    /// Facts about an entry; a link is not followed.
    pub(super) fn stat(&self, gate: &Gate, path: &str) -> Result<wit::Entry, Failure> {
        let real = self.resolve_entry(gate, path)?;
        let metadata = self
            .0
            .folder
            .symlink_metadata(&real)
            .map_err(|error| failure("look at", path, &error))?;
        Ok(self.entry(path.to_owned(), &real, &metadata))
    }

    /// A file's bytes, all of them or none.
    pub(super) fn read(&self, gate: &Gate, path: &str, max: u64) -> Result<Vec<u8>, Failure> {
        let file = self.open_file(gate, path)?;
        let too_large = |size: u64| {
            Failure::new(
                Class::Exhausted,
                "workspace.too-large",
                Owner::Author,
                format!("`{path}` has {size} bytes; at most {max} are read"),
            )
        };
        let size = file
            .metadata()
            .map_err(|error| failure("read", path, &error))?
            .len();
        if size > max {
            return Err(too_large(size));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        // It may grow while it is read.
        file.take(max.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| failure("read", path, &error))?;
        if bytes.len() as u64 > max {
            return Err(too_large(bytes.len() as u64));
        }
        Ok(bytes)
    }

    /// A regular file, open. Others are refused before they are opened, since to open a pipe is to
    /// wait for its writer.
    pub(super) fn open_file(&self, gate: &Gate, path: &str) -> Result<File, Failure> {
        let real = self.resolve(gate, path)?;
        let failed = |error| failure("read", path, &error);
        let metadata = self.0.folder.symlink_metadata(&real).map_err(failed)?;
        if !metadata.is_file() {
            return Err(Failure::new(
                Class::InvalidInput,
                "workspace.not-a-file",
                Owner::Author,
                format!("`{path}` is not a file"),
            ));
        }
        Ok(self.0.folder.open(&real).map_err(failed)?.into_std())
    }

    /// The entries that a pattern matches and the step may read. Links are listed, not followed.
    pub(super) fn list(
        &self,
        gate: &Gate,
        patterns: &[String],
        max: usize,
    ) -> Result<wit::Listing, Failure> {
        let (globs, bases) = read_patterns(patterns)?;
        let mut found = BTreeMap::new();
        let mut looked_at = 0;
        for base in bases {
            // A folder that is reached through a link is not looked into.
            let real = self.0.folder.canonicalize(&base);
            if real.is_ok_and(|real| real == base) {
                self.walk(&base, &mut looked_at, &mut |path, real, metadata| {
                    if globs.is_match(path) && gate.permits(&Request { path }).is_ok() {
                        let entry = self.entry(path.to_owned(), real, metadata);
                        found.insert(path.to_owned(), entry);
                    }
                })?;
            }
        }
        Ok(wit::Listing {
            truncated: found.len() > max,
            entries: found.into_values().take(max).collect(),
        })
    }

    fn walk(
        &self,
        folder: &Path,
        looked_at: &mut usize,
        see: &mut dyn FnMut(&str, &Path, &Metadata),
    ) -> Result<(), Failure> {
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            let name = folder.display().to_string();
            let failed = |error| failure("list", &name, &error);
            for entry in self.0.folder.read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                *looked_at += 1;
                if *looked_at > MAX_LOOKED_AT {
                    return Err(Failure::new(
                        Class::Exhausted,
                        "workspace.too-many",
                        Owner::Author,
                        format!("a `list` looks at {MAX_LOOKED_AT} entries at most"),
                    )
                    .with_help("let the patterns begin with a folder: `src/**/*.rs`"));
                }
                let path = if folder == Path::new(ROOT) {
                    PathBuf::from(entry.file_name())
                } else {
                    folder.join(entry.file_name())
                };
                // A name that is not UTF-8 has no way through the contract's strings.
                let Some(text) = path.to_str().filter(|_| !self.is_hidden(&path)) else {
                    continue;
                };
                let metadata = entry.metadata().map_err(failed)?;
                see(text, &path, &metadata);
                if metadata.is_dir() {
                    waiting.push(path);
                }
            }
        }
        Ok(())
    }

    fn entry(&self, path: String, real: &Path, metadata: &Metadata) -> wit::Entry {
        let kind = match metadata.file_type() {
            kind if kind.is_file() => wit::Kind::File,
            kind if kind.is_dir() => wit::Kind::Directory,
            kind if kind.is_symlink() => wit::Kind::Symlink,
            _ => wit::Kind::Other,
        };
        let is_file = matches!(kind, wit::Kind::File);
        let target = matches!(kind, wit::Kind::Symlink)
            .then(|| self.0.folder.read_link_contents(real).ok())
            .flatten()
            .map(|target| target.to_string_lossy().into_owned());
        wit::Entry {
            path,
            kind,
            size: if is_file { metadata.len() } else { 0 },
            executable: is_file && metadata.mode() & 0o100 != 0,
            target,
        }
    }
}

/// The patterns, and the folders that everything they match lies in.
fn read_patterns(patterns: &[String]) -> Result<(GlobSet, Vec<PathBuf>), Failure> {
    let wrong = |message: String| {
        Failure::new(
            Class::InvalidInput,
            "workspace.pattern",
            Owner::Author,
            message,
        )
    };
    let mut globs = GlobSetBuilder::new();
    let mut bases: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        let pattern = paths::clean(pattern)?;
        globs.add(glob(&pattern).map_err(|error| wrong(format!("`{pattern}`: {error}")))?);
        let literal: PathBuf = pattern
            .split('/')
            .take_while(|part| !part.contains(['*', '?', '[', '{', '\\']))
            .collect();
        // The last part names an entry of the folder before it.
        let base = if literal == Path::new(&pattern) {
            literal.parent().map(Path::to_owned).unwrap_or_default()
        } else {
            literal
        };
        bases.push(if base.as_os_str().is_empty() {
            PathBuf::from(ROOT)
        } else {
            base
        });
    }
    bases.sort();
    bases.dedup();
    if bases.iter().any(|base| base == Path::new(ROOT)) {
        bases = vec![PathBuf::from(ROOT)];
    }
    let globs = globs
        .build()
        .map_err(|error| wrong(format!("the patterns can't be used: {error}")))?;
    Ok((globs, bases))
}

/// `*` and `?` stay within a part of the path.
fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).build()
}
