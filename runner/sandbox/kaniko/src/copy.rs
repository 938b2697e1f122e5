mod archive;
mod around;
mod place;

use crate::files::{Files, Node, join, normal};
use archive::{archive, unpack};
pub(crate) use around::{add_above, add_parents};
use around::{add_targets, written_through};
use place::{beside, dangling, is_folder};
pub(crate) use place::{cleaned, names_folder, place};
use sidestep_dockerfile::{Mode, wildcard};
use std::{collections::BTreeMap, io, path::Path};

/// The sources and options of a copy.
pub(crate) struct Request<'a> {
    pub(crate) sources: &'a [String],
    /// The destination as written, with variables replaced.
    pub(crate) destination: &'a str,
    pub(crate) workdir: &'a str,
    /// The owner of the copies; without one, they keep the source's owner.
    pub(crate) owner: Option<(u64, u64)>,
    pub(crate) mode: Option<&'a Mode>,
    /// Whether all of the image's files are known.
    pub(crate) is_sure: bool,
    /// The folder for unpacked archives, for `ADD`.
    pub(crate) unpack_in: Option<&'a Path>,
}

/// The result of a copy.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    pub(crate) nodes: BTreeMap<String, Node>,
    /// Sources that match nothing.
    pub(crate) missing: Vec<String>,
    /// Whether there is more than one file and the destination is not a folder.
    pub(crate) too_many: bool,
    /// The reason why a path cannot be created: a file is in the place of a folder, or a link's
    /// target is not a folder.
    pub(crate) blocked: Option<String>,
}

impl Copied {
    fn block(&mut self, into: &Files, path: &str, shown: String) {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        let mut folders = above.chain((shown.ends_with('/')).then_some(path));
        if folders.any(|folder| matches!(into.0.get(folder), Some(Node::File { .. }))) {
            let why = format!("failed to lstat: lstat {shown}: not a directory");
            self.blocked.get_or_insert(why);
        }
    }
}

/// Computes a `COPY` or `ADD` from one file system into another.
pub(crate) fn copy(from: &Files, into: &Files, request: &Request<'_>) -> io::Result<Copied> {
    let mut copied = Copied::default();
    let found = sources(from, request, &mut copied.missing);
    let written = cleaned(request.destination);
    let wants_folder = is_folder(into, &written, request.workdir) || found.len() > 1;
    let destination = place(into, &written, request.workdir);
    if request.is_sure && !names_folder(into, &written) && has_many(from, &found) {
        copied.too_many = true;
        return Ok(copied);
    }
    if let Some(leads) = dangling(into, &written, request.workdir)
        && (wants_folder || found.iter().any(|source| from.is_folder(source)))
    {
        let why = format!("failed to eval symlinks: lstat /{leads}: no such file or directory");
        copied.blocked = Some(why);
        return Ok(copied);
    }
    for source in found {
        let name = source.rsplit('/').next().unwrap_or_default().to_owned();
        // A link that is named itself is copied as a link, whether it points to a folder or a file.
        let node = if source.is_empty() {
            Some(&Node::FOLDER)
        } else {
            from.0.get(&source)
        };
        let archive = match request.unpack_in {
            // An archive is also unpacked if the source is a link to it.
            Some(_) => archive(from, &source)?,
            None => None,
        };
        match node {
            Some(Node::Folder { .. }) => {
                copied.block(into, &destination, format!("/{destination}/"));
                // The destination folder itself is not copied: it keeps its mode.
                if !destination.is_empty() {
                    let mode = match into.0.get(&destination) {
                        Some(Node::Folder { mode, .. }) => *mode,
                        _ => 0o755,
                    };
                    let source = match node {
                        Some(Node::Folder { owner, .. }) => *owner,
                        _ => (0, 0),
                    };
                    let owner = request.owner.unwrap_or(source);
                    let folder = Node::Folder { mode, owner };
                    copied.nodes.insert(destination.clone(), folder);
                }
                let skip = if source.is_empty() {
                    0
                } else {
                    source.len() + 1
                };
                for (path, node) in from.below(&source) {
                    let path = join(&destination, &path[skip..]);
                    add(&mut copied.nodes, request, path, Some(node.clone()));
                }
            }
            _ if let Some(disk) = archive => {
                let folder =
                    tempfile::tempdir_in(request.unpack_in.unwrap_or(Path::new("")))?.keep();
                unpack(disk, &folder)?;
                for (path, node) in Files::of_context(&folder, None)
                    .map_err(io::Error::other)?
                    .0
                {
                    // An archive's entries keep their own attributes, whatever the instruction
                    // says.
                    copied.nodes.insert(join(&destination, &path), node);
                }
            }
            node => {
                let path = if wants_folder {
                    join(&destination, &name)
                } else {
                    beside(into, &written, request.workdir)
                };
                copied.block(into, &path, format!("/{path}"));
                // kaniko creates the folders above a link as root.
                let is_link = matches!(node, Some(Node::Link { .. }));
                let path = if is_link {
                    path
                } else {
                    written_through(&mut copied.nodes, into, path)
                };
                let owner = request.owner.filter(|_| !is_link);
                add_parents(&mut copied.nodes, into, &path, owner);
                add(&mut copied.nodes, request, path, node.cloned());
            }
        }
    }
    add_targets(&mut copied.nodes, into);
    Ok(copied)
}

/// Returns the paths that the sources name; sources without a match are added to `missing`. If one
/// source has wildcards, kaniko matches every source against all names of the context, including
/// the context itself (`.`), and does not fail if there is no match.
fn sources(from: &Files, request: &Request<'_>, missing: &mut Vec<String>) -> Vec<String> {
    let mut found = Vec::new();
    let has_patterns = request
        .sources
        .iter()
        .any(|source| wildcard::is_pattern(source));
    for source in request.sources {
        let wanted = normal(source);
        if has_patterns {
            let is_root = source.starts_with('/');
            let pattern = cleaned(source.trim_end_matches('/'));
            let pattern = if is_root { wanted } else { pattern };
            let root = if is_root { "" } else { "." };
            if pattern == root || wildcard::matches(&pattern, root) {
                found.push(String::new());
            }
            let named = |path: &&String| **path == pattern || wildcard::matches(&pattern, path);
            found.extend(from.0.keys().filter(named).cloned());
        } else if wanted.is_empty() || from.0.contains_key(&wanted) {
            found.push(wanted);
        } else if let Some(real) = from.resolve_above(&wanted) {
            found.push(real);
        } else {
            missing.push(source.clone());
        }
    }
    found
}

/// Returns whether kaniko counts more than one file. A single folder does not count.
fn has_many(from: &Files, found: &[String]) -> bool {
    match found {
        [] => false,
        [one] => !from.is_folder(one) && from.below(one).next().is_some(),
        _ => true,
    }
}

fn add(
    nodes: &mut BTreeMap<String, Node>,
    request: &Request<'_>,
    path: String,
    node: Option<Node>,
) {
    let Some(mut node) = node.filter(|_| !path.is_empty()) else {
        return;
    };
    let is_folder = matches!(node, Node::Folder { .. });
    match &mut node {
        Node::Folder { mode, owner } | Node::File { mode, owner, .. } => {
            *owner = request.owner.unwrap_or(*owner);
            if let Some(wanted) = request.mode {
                *mode = wanted.apply(*mode, is_folder);
            }
        }
        Node::Link { .. } => {}
    }
    nodes.insert(path, node);
}

/// Parses `UID[:GID]`. A name is looked up in the image's own files; the result is `None` if it is
/// not found.
pub(crate) fn owner(text: &str, files: &Files) -> Option<(u64, u64)> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let id = |name: &str, file: &str| name.parse().ok().or_else(|| lookup(files, file, name));
    let user = id(user, "etc/passwd")?;
    Some((
        user,
        group.map_or(Some(user), |group| id(group, "etc/group"))?,
    ))
}

fn lookup(files: &Files, file: &str, name: &str) -> Option<u64> {
    let Some(Node::File { disk, .. }) = files.0.get(file) else {
        return (name == "root").then_some(0);
    };
    let text = std::fs::read_to_string(disk).ok()?;
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines
        .find(|fields| fields.first() == Some(&name))?
        .get(2)?
        .parse()
        .ok()
}
