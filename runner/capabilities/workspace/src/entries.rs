//! Reads entries and files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_files::{Folder, Kind, OpenError, Stat, What, is_link};
use sidestep_gate::Gate;
use sidestep_policy::StepScopes;
use sidestep_policy::workspace::WorkspaceCall;

use super::paths::{self, failure};
use super::{Workspace, wit};

/// The maximum number of entries that one `list` reads.
const MAX_LOOKED_AT: usize = 1_000_000;

impl Workspace {
    /// Returns facts about an entry; a link is not followed.
    pub(super) fn stat(&self, gate: &Gate, path: &str) -> Result<wit::Entry, Failure> {
        let judge = self.judge(path, gate.leads(path), |real| {
            gate.permits(&WorkspaceCall { path: real })
        });
        let found = self.0.folder.entry(Path::new(path), judge);
        let (_, stat, target) = found.map_err(|error| error.failure("inspect", path))?;
        Ok(entry(path.to_owned(), &stat, target))
    }

    /// Returns all of a file's bytes, or a failure.
    pub(super) fn read(&self, gate: &Gate, path: &str, max: u64) -> Result<Vec<u8>, Failure> {
        let file = self.open_file(gate, path)?;
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        sidestep_files::read(file, max).map_err(|error| match error {
            OpenError::TooLarge(_) => Failure::new(
                Class::Exhausted,
                codes::workspace::TOO_LARGE,
                Owner::Author,
                format!(
                    "`{path}` has {} bytes; at most {max} are read",
                    size.max(max.saturating_add(1))
                ),
            ),
            error => failure("read", path, &error),
        })
    }

    /// Opens a regular file.
    pub(super) fn open_file(&self, gate: &Gate, path: &str) -> Result<File, Failure> {
        let judge = self.judge(path, gate.leads(path), |real| {
            gate.permits(&WorkspaceCall { path: real })
        });
        let opened = self.0.folder.file(Path::new(path), judge);
        opened.map_err(|error| error.failure("read", path))
    }

    /// Returns the text of a file for display, if a step with these scopes may read it and it has
    /// at most `max` bytes.
    pub fn text(&self, scopes: &StepScopes, path: &str, max: u64) -> Option<String> {
        let path = paths::clean(path).ok()?;
        let permits = |path: &str| {
            let allowed = scopes.allows(&WorkspaceCall { path });
            allowed.map_err(|refusal| refusal.failure())
        };
        permits(&path).ok()?;
        let judge = self.judge(&path, scopes.leads(&path), permits);
        let file = self.0.folder.file(Path::new(&path), judge).ok()?;
        sidestep_files::text(sidestep_files::read(file, max).ok()?).ok()
    }

    /// Returns the entries that a pattern matches and the step may read. Links are listed, not
    /// followed.
    pub(super) fn list(
        &self,
        gate: &Gate,
        patterns: &[String],
        max: usize,
    ) -> Result<wit::Listing, Failure> {
        let permits = |path: &str| gate.permits(&WorkspaceCall { path });
        self.matching(patterns, max, &permits)
    }

    /// Returns the entries that a pattern matches and `permits` allows.
    pub(super) fn matching(
        &self,
        patterns: &[String],
        max: usize,
        permits: &dyn Fn(&str) -> Result<(), Failure>,
    ) -> Result<wit::Listing, Failure> {
        let (globs, bases) = read_patterns(patterns)?;
        let mut found = First::new(max);
        let mut looked_at = 0;
        for base in bases {
            self.walk(
                permits,
                base,
                &mut looked_at,
                &mut |folder, name, path, stat| {
                    if globs.is_match(path) && found.takes(path) && permits(path).is_ok() {
                        let target = stat.is_link().then(|| folder.link_itself(name).ok());
                        let entry = entry(path.to_owned(), stat, target.flatten());
                        found.insert(entry);
                    }
                },
            )?;
        }
        Ok(found.listing())
    }

    /// Walks a folder and those below it. A folder that is reached through a link is not entered,
    /// and an entry that is gone in the meantime is omitted.
    fn walk(
        &self,
        permits: &dyn Fn(&str) -> Result<(), Failure>,
        folder: PathBuf,
        looked_at: &mut usize,
        see: &mut dyn FnMut(&Folder, &Path, &str, &Stat),
    ) -> Result<(), Failure> {
        let mut waiting = vec![folder];
        while let Some(below) = waiting.pop() {
            let opened = self.0.folder.folder_itself(&below);
            let listed = opened.and_then(|folder| Ok((folder.names()?, folder)));
            let (names, folder) = match listed {
                Ok(listed) => listed,
                Err(error) => {
                    may_be_left_out(permits, &below, error)?;
                    continue;
                }
            };
            for name in names {
                *looked_at += 1;
                if *looked_at > MAX_LOOKED_AT {
                    return Err(Failure::new(
                        Class::Exhausted,
                        codes::workspace::TOO_MANY,
                        Owner::Author,
                        format!("a `list` reads at most {MAX_LOOKED_AT} entries"),
                    )
                    .with_help("begin the patterns with a folder: `src/**/*.rs`"));
                }
                let path = below.join(&name);
                // The contract's strings cannot hold a name that is not UTF-8.
                let Some(text) = path.to_str().filter(|_| !self.is_hidden(&path)) else {
                    continue;
                };
                let name = Path::new(&name);
                let stat = match folder.stat_itself(name) {
                    Ok(stat) => stat,
                    Err(error) => {
                        may_be_left_out(permits, &path, error)?;
                        continue;
                    }
                };
                see(&folder, name, text, &stat);
                if stat.is_folder() {
                    waiting.push(path);
                }
            }
        }
        Ok(())
    }
}

/// Checks that a listing may omit an entry that cannot be read: it is gone, or a link, or the step
/// may not know of it.
fn may_be_left_out(
    permits: &dyn Fn(&str) -> Result<(), Failure>,
    path: &Path,
    error: io::Error,
) -> Result<(), Failure> {
    let absent = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    let path = path.display().to_string();
    if absent.contains(&error.kind()) || is_link(&error) || permits(&path).is_err() {
        return Ok(());
    }
    Err(failure("list", &path, &error.into()))
}

/// The first entries of a listing, by their paths, and one more: a pattern can match any number of
/// entries, and the others must not be held in memory.
struct First {
    max: usize,
    entries: BTreeMap<String, wit::Entry>,
}

impl First {
    fn new(max: usize) -> Self {
        Self {
            max,
            entries: BTreeMap::new(),
        }
    }

    /// Returns whether an entry of this path is among the first so far.
    fn takes(&self, path: &str) -> bool {
        let last = self.entries.last_key_value();
        self.entries.len() <= self.max || last.is_some_and(|(last, _)| path < last.as_str())
    }

    fn insert(&mut self, entry: wit::Entry) {
        self.entries.insert(entry.path.clone(), entry);
        if self.entries.len() > self.max + 1 {
            self.entries.pop_last();
        }
    }

    fn listing(self) -> wit::Listing {
        wit::Listing {
            truncated: self.entries.len() > self.max,
            entries: self.entries.into_values().take(self.max).collect(),
        }
    }
}

fn entry(path: String, stat: &Stat, target: Option<OsString>) -> wit::Entry {
    let kind = match stat.kind {
        Kind::File => wit::Kind::File,
        Kind::Other(What::Folder) => wit::Kind::Directory,
        Kind::Other(What::Link) => wit::Kind::Symlink,
        Kind::Other(_) => wit::Kind::Other,
    };
    wit::Entry {
        path,
        kind,
        size: stat.size,
        executable: stat.kind == Kind::File && stat.mode & 0o100 != 0,
        target: target.map(|target| target.to_string_lossy().into_owned()),
    }
}

/// Returns the patterns, and the folders that contain everything they match.
fn read_patterns(patterns: &[String]) -> Result<(GlobSet, Vec<PathBuf>), Failure> {
    let wrong = |message: String| {
        Failure::new(
            Class::InvalidInput,
            codes::workspace::PATTERN,
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
        bases.push(base);
    }
    bases.sort();
    bases.dedup();
    // The root contains all of them.
    if bases
        .first()
        .is_some_and(|base| base.as_os_str().is_empty())
    {
        bases.truncate(1);
    }
    let globs = globs
        .build()
        .map_err(|error| wrong(format!("the patterns can't be used: {error}")))?;
    Ok((globs, bases))
}

/// Parses a pattern; `*` and `?` match within one part of the path.
fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).build()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_entries_are_kept_and_no_others(
            paths in proptest::collection::vec("[a-c/]{1,4}", 0..40),
            max in 0_usize..6,
        ) {
            let mut found = First::new(max);
            for path in &paths {
                if found.takes(path) {
                    let kind = wit::Kind::File;
                    let (size, executable, target) = (0, false, None);
                    let path = path.clone();
                    found.insert(wit::Entry { path, kind, size, executable, target });
                }
                prop_assert!(found.entries.len() <= max + 1);
            }
            let all: std::collections::BTreeSet<String> = paths.into_iter().collect();
            let listing = found.listing();
            prop_assert_eq!(listing.truncated, all.len() > max);
            let kept: Vec<String> = listing.entries.into_iter().map(|entry| entry.path).collect();
            prop_assert_eq!(kept, all.into_iter().take(max).collect::<Vec<_>>());
        }
    }
}
