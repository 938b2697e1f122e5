use crate::files::{Files, Node, join, normal};
use sidestep_dockerfile::{Mode, wildcard};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    path::Path,
};

/// What to copy and how.
pub(crate) struct Request<'a> {
    pub(crate) sources: &'a [String],
    /// As written, variables replaced.
    pub(crate) destination: &'a str,
    pub(crate) workdir: &'a str,
    /// Whose the copies are; the source's own, if not given.
    pub(crate) owner: Option<(u64, u64)>,
    pub(crate) mode: Option<&'a Mode>,
    /// Where to unpack archives, for `ADD`.
    pub(crate) unpack_in: Option<&'a Path>,
}

/// What a copy comes to.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    pub(crate) nodes: BTreeMap<String, Node>,
    /// Sources that match nothing.
    pub(crate) missing: Vec<String>,
    /// A place that can't be made, since a file stands where a folder would.
    pub(crate) blocked: Option<String>,
}

impl Copied {
    fn block(&mut self, into: &Files, path: &str, shown: String) {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        let mut folders = above.chain((shown.ends_with('/')).then_some(path));
        if folders.any(|folder| matches!(into.0.get(folder), Some(Node::File { .. }))) {
            self.blocked.get_or_insert(shown);
        }
    }
}

/// Works out a `COPY` or `ADD` from one file system into another.
pub(crate) fn copy(from: &Files, into: &Files, request: &Request<'_>) -> io::Result<Copied> {
    let mut copied = Copied::default();
    let mut found = Vec::new();
    for source in request.sources {
        let wanted = normal(source);
        let before = found.len();
        if wildcard::is_pattern(&wanted) {
            found.extend(
                from.0
                    .keys()
                    .filter(|path| wildcard::matches(&wanted, path))
                    .cloned(),
            );
        } else if wanted.is_empty() || from.0.contains_key(&wanted) {
            found.push(wanted);
        } else {
            found.extend(from.resolve_above(&wanted));
        }
        if found.len() == before {
            copied.missing.push(source.clone());
        }
    }
    let written = request.destination;
    let destination = place(into, written, request.workdir);
    let wants_folder = written.ends_with('/')
        || written.ends_with("/.")
        || written == "."
        || request.sources.len() > 1
        || request
            .sources
            .iter()
            .any(|source| wildcard::is_pattern(source))
        || into.is_folder(&destination);
    for source in found {
        let name = source.rsplit('/').next().unwrap_or_default().to_owned();
        // A link that is named itself is copied as a link, to a folder or a file alike.
        let node = if source.is_empty() {
            Some(&Node::FOLDER)
        } else {
            from.0.get(&source)
        };
        let archive = match request.unpack_in {
            // An archive is unpacked also through a link.
            Some(_) => archive(from, &source)?,
            None => None,
        };
        match node {
            Some(Node::Folder { .. }) => {
                copied.block(into, &destination, format!("/{destination}/"));
                // The folder itself is not the one that is copied: it keeps the mode that it has.
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
                    // An archive's entries are as they are in it, whatever the instruction says.
                    copied.nodes.insert(join(&destination, &path), node);
                }
            }
            node => {
                let path = if wants_folder {
                    join(&destination, &name)
                } else {
                    destination.clone()
                };
                copied.block(into, &path, format!("/{path}"));
                add_parents(&mut copied.nodes, into, &path, request.owner);
                add(&mut copied.nodes, request, path, node.cloned());
            }
        }
    }
    Ok(copied)
}

/// The folders that a file needs and that are not there: they are the file's owner's.
pub(crate) fn add_parents(
    nodes: &mut BTreeMap<String, Node>,
    into: &Files,
    path: &str,
    owner: Option<(u64, u64)>,
) {
    for (at, _) in path.match_indices('/') {
        let folder = &path[..at];
        if !into.0.contains_key(folder) {
            nodes.entry(folder.to_owned()).or_insert(Node::Folder {
                mode: 0o755,
                owner: owner.unwrap_or((0, 0)),
            });
        }
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

/// Where a path of an instruction is, with the links of the image followed.
pub(crate) fn place(files: &Files, written: &str, workdir: &str) -> String {
    let path = if written.starts_with('/') {
        normal(written)
    } else {
        normal(&format!("{workdir}/{written}"))
    };
    let mut known = path.len();
    loop {
        if let Some(real) = files.resolve(&path[..known]) {
            return join(&real, path[known..].trim_start_matches('/'));
        }
        known = path[..known].rfind('/').unwrap_or(0);
        if known == 0 {
            return path;
        }
    }
}

/// The archive that a source is, or leads to.
fn archive<'f>(from: &'f Files, source: &str) -> io::Result<Option<&'f Path>> {
    let real = from.resolve(source);
    match real.and_then(|real| from.0.get(&real)) {
        Some(Node::File { disk, .. }) if is_archive(disk)? => Ok(Some(disk)),
        _ => Ok(None),
    }
}

fn is_archive(file: &Path) -> io::Result<bool> {
    let mut start = [0; 512];
    let mut file = File::open(file)?;
    let count = file.read(&mut start)?;
    if start.starts_with(&[0x1f, 0x8b]) {
        file.seek(SeekFrom::Start(0))?;
        let mut inner = Vec::new();
        let read = flate2::read::MultiGzDecoder::new(file)
            .take(512)
            .read_to_end(&mut inner);
        return Ok(read.is_ok() && inner.get(257..262) == Some(b"ustar"));
    }
    Ok(start[..count].get(257..262) == Some(b"ustar"))
}

fn unpack(file: &Path, folder: &Path) -> io::Result<()> {
    let mut reader = File::open(file)?;
    let mut start = [0; 2];
    reader.read_exact(&mut start)?;
    reader.seek(SeekFrom::Start(0))?;
    let unpacked = if start == [0x1f, 0x8b] {
        sidestep_context::unpack(reader, folder)
    } else {
        // The unpacker takes gzip: wrap what is not.
        let zipped = flate2::read::GzEncoder::new(reader, flate2::Compression::none());
        sidestep_context::unpack(zipped, folder)
    };
    unpacked.map(drop).map_err(io::Error::other)
}

/// `UID[:GID]`; a name is looked up in the image's own files, and `None` where it
/// is not there.
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
