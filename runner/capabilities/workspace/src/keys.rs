//! Tells what keys are in files, and shows manifests without them.

use std::path::Path;

use sidestep_events::Failure;
use sidestep_gate::{Gate, keys};
use sidestep_policy::workspace::KeyFactsCall;

use super::{Workspace, wit};

/// The most files of one search.
const MOST_FILES: usize = 10_000;
/// The largest file that is searched, in bytes.
const LARGEST: u64 = 4 << 20;
/// The most keys of one search.
const MOST_KEYS: usize = 1_000;
/// The most files that are named as not searched.
const MOST_UNSEARCHED: usize = 100;
/// The largest text of all objects of one search, in bytes.
const LARGEST_ANSWER: usize = 8 << 20;

/// An answer, and the secret texts of its keys, to be masked.
pub(super) type WithSecrets<T> = (T, Vec<String>);
/// A function that gets a file's path, and its bytes or the reason why they are not read.
type See<'s> = dyn FnMut(&str, Result<Vec<u8>, String>) + 's;

impl Workspace {
    /// Searches the files that match one of the patterns, except those that are hidden.
    pub(super) fn key_facts(
        &self,
        gate: &Gate,
        patterns: &[String],
    ) -> Result<WithSecrets<wit::FileKeys>, Failure> {
        let mut secrets = Vec::new();
        let mut answer = wit::FileKeys {
            keys: Vec::new(),
            searched: 0,
            unsearched: Vec::new(),
            truncated: false,
        };
        let truncated = self.each_file(gate, patterns, &mut |path, bytes| {
            let bytes = match bytes {
                Ok(bytes) => bytes,
                Err(reason) => return unsearched(&mut answer.unsearched, path, 0, reason),
            };
            answer.searched += 1;
            let found = sidestep_keys::find(&bytes);
            answer.truncated |= found.truncated;
            for key in found.keys {
                if answer.keys.len() >= MOST_KEYS {
                    answer.truncated = true;
                    return;
                }
                answer.keys.push(wit::FileKey {
                    path: path.to_owned(),
                    fact: keys::fact(key),
                });
            }
            secrets.extend(found.secrets);
        })?;
        answer.truncated |= truncated;
        Ok((answer, secrets))
    }

    /// Reads the manifests that match one of the patterns.
    pub(super) fn manifests(
        &self,
        gate: &Gate,
        patterns: &[String],
    ) -> Result<WithSecrets<wit::ManifestObjects>, Failure> {
        let mut secrets = Vec::new();
        let mut size = 0;
        let mut answer = wit::ManifestObjects {
            objects: Vec::new(),
            unsearched: Vec::new(),
            truncated: false,
        };
        let truncated = self.each_file(gate, patterns, &mut |path, bytes| {
            let text = bytes.and_then(|bytes| {
                String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
            });
            let text = match text {
                Ok(text) => text,
                Err(reason) => return unsearched(&mut answer.unsearched, path, 0, reason),
            };
            let all = sidestep_keys::manifests(&text);
            answer.truncated |= all.truncated;
            secrets.extend(all.secrets);
            for wrong in all.unreadable {
                unsearched(&mut answer.unsearched, path, wrong.line, wrong.reason);
            }
            for manifest in all.objects {
                let object = manifest.object.to_string();
                size += object.len();
                if size > LARGEST_ANSWER {
                    answer.truncated = true;
                    return;
                }
                answer.objects.push(wit::ManifestObject {
                    path: path.to_owned(),
                    line: manifest.line,
                    object,
                    keys: manifest.keys.into_iter().map(keys::entry_key).collect(),
                });
            }
        })?;
        answer.truncated |= truncated;
        Ok((answer, secrets))
    }

    /// Reads each file that a pattern matches, in the order of their paths, or says why it is not
    /// read. Links are not followed. Returns whether there are more files.
    fn each_file(
        &self,
        gate: &Gate,
        patterns: &[String],
        see: &mut See<'_>,
    ) -> Result<bool, Failure> {
        let permits = |path: &str| gate.permits(&KeyFactsCall { path });
        let listing = self.matching(patterns, MOST_FILES, &permits)?;
        let files = listing
            .entries
            .iter()
            .filter(|entry| entry.kind == wit::Kind::File);
        for entry in files {
            let path = entry.path.as_str();
            if entry.size > LARGEST {
                let reason = format!(
                    "it has {} bytes; at most {LARGEST} are searched",
                    entry.size
                );
                see(path, Err(reason));
                continue;
            }
            let judge = self.judge(path, gate.leads(path), permits);
            let file = self.0.folder.file(Path::new(path), judge);
            let bytes = match file {
                Ok(file) => sidestep_files::read(file, LARGEST).ok(),
                Err(_) => None,
            };
            see(path, bytes.ok_or_else(|| "it can't be read".to_owned()));
        }
        Ok(listing.truncated)
    }
}

fn unsearched(all: &mut Vec<wit::Unsearched>, path: &str, line: u32, reason: String) {
    if all.len() < MOST_UNSEARCHED {
        all.push(wit::Unsearched {
            path: path.to_owned(),
            line,
            reason,
        });
    }
}

#[cfg(test)]
mod tests;
