use sidestep_context::{RelPath, ignore::Ignore};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The maximum number of links on a path.
const MOST_LINKS: usize = 40;

/// An entry of a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Folder {
        mode: u32,
        owner: (u64, u64),
    },
    File {
        disk: PathBuf,
        size: u64,
        mode: u32,
        owner: (u64, u64),
    },
    Link {
        target: String,
    },
}

impl Node {
    pub(crate) const FOLDER: Self = Self::Folder {
        mode: 0o755,
        owner: (0, 0),
    };
}

/// A stage's or a context's files: paths without a leading slash. Contents stay
/// on disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Node>);

impl Files {
    /// Reads a build context, without the files that its ignore file excludes.
    pub(crate) fn of_context(root: &Path, ignore: Option<&Ignore>) -> Result<Self, String> {
        let mut files = Self::default();
        let mut folders = vec![(root.to_owned(), String::new())];
        while let Some((folder, above)) = folders.pop() {
            let broken = |error: io::Error| format!("{}: {error}", folder.display());
            for entry in fs::read_dir(&folder).map_err(broken)? {
                let entry = entry.map_err(broken)?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if above.is_empty() {
                    name
                } else {
                    format!("{above}/{name}")
                };
                let disk = entry.path();
                let metadata = fs::symlink_metadata(&disk).map_err(broken)?;
                if metadata.is_dir() {
                    folders.push((disk.clone(), path.clone()));
                }
                let excluded = match (ignore, RelPath::new(path.as_str())) {
                    (Some(ignore), Some(path)) => ignore.kaniko_excludes(&path),
                    _ => false,
                };
                if excluded {
                    continue;
                }
                let mode = metadata.permissions().mode() & 0o7777;
                let node = if metadata.is_dir() {
                    Node::Folder {
                        mode,
                        owner: (0, 0),
                    }
                } else if metadata.is_symlink() {
                    let target = fs::read_link(&disk).map_err(broken)?;
                    Node::Link {
                        target: target.to_string_lossy().into_owned(),
                    }
                } else if metadata.is_file() {
                    Node::File {
                        disk,
                        size: metadata.len(),
                        mode,
                        owner: (0, 0),
                    }
                } else {
                    continue;
                };
                files.0.insert(path, node);
            }
        }
        Ok(files)
    }

    /// Applies a layer to the files; contents go into `store`.
    pub(crate) fn apply(&mut self, layer: &Path, store: &Path) -> io::Result<()> {
        let mut reader = BufReader::new(File::open(layer)?);
        let zipped = io::BufRead::fill_buf(&mut reader)?.starts_with(&[0x1f, 0x8b]);
        if zipped {
            self.apply_tar(flate2::read::MultiGzDecoder::new(reader), store)
        } else {
            self.apply_tar(reader, store)
        }
    }

    fn apply_tar(&mut self, layer: impl Read, store: &Path) -> io::Result<()> {
        let mut archive = tar::Archive::new(layer);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let name = normal(&name);
            let (folder, last) = name.rsplit_once('/').unwrap_or(("", &name));
            if last == ".wh..wh..opq" {
                self.remove_below(folder);
                continue;
            }
            if let Some(gone) = last.strip_prefix(".wh.") {
                self.remove(&join(folder, gone));
                continue;
            }
            if name.is_empty() {
                continue;
            }
            let header = entry.header();
            let mode = header.mode()? & 0o7777;
            let owner = (header.uid()?, header.gid()?);
            let node = match header.entry_type() {
                tar::EntryType::Directory => Node::Folder { mode, owner },
                tar::EntryType::Symlink => {
                    let target = entry.link_name_bytes().unwrap_or_default();
                    Node::Link {
                        target: String::from_utf8_lossy(&target).into_owned(),
                    }
                }
                tar::EntryType::Link => {
                    let target = entry.link_name_bytes().unwrap_or_default();
                    let target = normal(&String::from_utf8_lossy(&target));
                    match self.0.get(&target) {
                        Some(node) => node.clone(),
                        None => continue,
                    }
                }
                tar::EntryType::Regular | tar::EntryType::Continuous => {
                    let (mut file, disk) = tempfile::NamedTempFile::new_in(store)?.keep()?;
                    let size = io::copy(&mut entry, &mut file)?;
                    Node::File {
                        disk,
                        size,
                        mode,
                        owner,
                    }
                }
                _ => continue,
            };
            self.put(name, node);
        }
        Ok(())
    }

    /// Inserts a node and its parent folders. Returns the paths of the folders that did not exist.
    pub(crate) fn put(&mut self, path: String, node: Node) -> Vec<String> {
        let mut made = Vec::new();
        for (at, _) in path.match_indices('/') {
            let above = &path[..at];
            if !matches!(self.0.get(above), Some(Node::Folder { .. })) {
                self.remove(above);
                self.0.insert(above.to_owned(), Node::FOLDER);
                made.push(above.to_owned());
            }
        }
        if !matches!(node, Node::Folder { .. }) {
            self.remove(&path);
        }
        self.0.insert(path, node);
        made
    }

    fn remove(&mut self, path: &str) {
        self.0.remove(path);
        self.remove_below(path);
    }

    fn remove_below(&mut self, folder: &str) {
        let gone: Vec<String> = self.below(folder).map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.0.remove(&path);
        }
    }

    /// Returns everything strictly below a folder; `""` is the root.
    pub(crate) fn below<'f>(
        &'f self,
        folder: &str,
    ) -> impl Iterator<Item = (&'f String, &'f Node)> {
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let from = self.0.range(prefix.clone()..);
        from.take_while(move |(path, _)| path.starts_with(&prefix))
    }

    pub(crate) fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || matches!(self.0.get(path), Some(Node::Folder { .. }))
    }

    /// Returns the path with links followed except in its last part; `None` if it does not exist.
    pub(crate) fn resolve_above(&self, path: &str) -> Option<String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let path = join(&self.resolve(folder)?, name);
        self.0.contains_key(&path).then_some(path)
    }

    /// Returns the path with all links followed, within these files; `None` if it does not exist.
    pub(crate) fn resolve(&self, path: &str) -> Option<String> {
        let mut left: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at = String::new();
        let mut links = 0;
        while let Some(part) = left.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    at.truncate(at.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let next = join(&at, &part);
            match self.0.get(&next)? {
                Node::Link { target } => {
                    links += 1;
                    if links > MOST_LINKS {
                        return None;
                    }
                    if target.starts_with('/') {
                        at.clear();
                    }
                    left.extend(target.split('/').rev().map(str::to_owned));
                }
                Node::Folder { .. } | Node::File { .. } => at = next,
            }
        }
        Some(at)
    }
}

/// Returns an absolute path without `.`, `..` and slashes at its ends. A `..` at the root stays at
/// the root.
pub(crate) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

pub(crate) fn join(folder: &str, name: &str) -> String {
    match (folder.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (_, true) => folder.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_within_the_root_only() {
        let mut files = Files::default();
        let file = Node::File {
            disk: "/x".into(),
            size: 0,
            mode: 0o644,
            owner: (0, 0),
        };
        files.put("usr/lib/a".into(), file.clone());
        let link = |target: &str| Node::Link {
            target: target.into(),
        };
        files.put("lib".into(), link("usr/lib"));
        files.put("up".into(), link("../../../usr"));
        files.put("loop".into(), link("loop"));
        assert_eq!(files.resolve("lib/a").as_deref(), Some("usr/lib/a"));
        assert_eq!(files.resolve("up/lib/a").as_deref(), Some("usr/lib/a"));
        assert_eq!(files.resolve("loop"), None);
        assert_eq!(files.resolve("lib/b"), None);
        assert_eq!(files.put("usr/lib".into(), file), Vec::<String>::new());
        assert_eq!(files.resolve("usr/lib/a"), None);
        assert_eq!(normal("/../a/./b//../c/"), "a/c");
    }
}
