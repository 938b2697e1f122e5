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
    /// Whether all of the image's files are known.
    pub(crate) is_sure: bool,
    /// Where to unpack archives, for `ADD`.
    pub(crate) unpack_in: Option<&'a Path>,
}

/// What a copy comes to.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    pub(crate) nodes: BTreeMap<String, Node>,
    /// Sources that match nothing.
    pub(crate) missing: Vec<String>,
    /// More than one file, and a destination that is no folder.
    pub(crate) too_many: bool,
    /// Why a place can't be made: a file stands where a folder would, or a link leads to none.
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

/// Works out a `COPY` or `ADD` from one file system into another.
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
                    beside(into, &written, request.workdir)
                };
                copied.block(into, &path, format!("/{path}"));
                // kaniko makes the folders above a link as root.
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

/// The paths that the sources name; what names nothing goes to `missing`. Where one source has
/// wildcards, kaniko looks for each among all names of the context, the context itself (`.`)
/// included, and takes it for no fault if there is none.
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

/// Whether kaniko counts more than one file, unless a single folder is copied.
fn has_many(from: &Files, found: &[String]) -> bool {
    match found {
        [] => false,
        [one] => !from.is_folder(one) && from.below(one).next().is_some(),
        _ => true,
    }
}

/// The folders above what is copied: kaniko puts them into the layer again.
pub(crate) fn add_above(nodes: &mut BTreeMap<String, Node>, into: &Files) {
    let above = |path: &String| -> Vec<String> {
        let slashes = path.match_indices('/');
        slashes.map(|(at, _)| path[..at].to_owned()).collect()
    };
    let folders: Vec<String> = nodes.keys().flat_map(above).collect();
    for folder in folders {
        if let Some(node @ Node::Folder { .. }) = into.0.get(&folder) {
            nodes.entry(folder).or_insert_with(|| node.clone());
        }
    }
}

/// What copied links lead to, as far as it was there: kaniko puts that into the layer, too.
fn add_targets(nodes: &mut BTreeMap<String, Node>, into: &Files) {
    let targets: Vec<String> = nodes
        .iter()
        .filter_map(|(path, node)| match node {
            Node::Link { target } => into.resolve(&lead(path, target)),
            Node::File { .. } | Node::Folder { .. } => None,
        })
        .collect();
    for target in targets {
        if let Some(node) = into.0.get(&target) {
            nodes.entry(target).or_insert_with(|| node.clone());
        }
    }
}

/// Where a link at a path leads, by one step.
fn lead(path: &str, target: &str) -> String {
    let above = path.rsplit_once('/').map_or("", |(above, _)| above);
    if target.starts_with('/') {
        normal(target)
    } else {
        normal(&format!("{above}/{target}"))
    }
}

/// Where a destination leads that is a link to nothing.
fn dangling(into: &Files, written: &str, workdir: &str) -> Option<String> {
    let path = beside(into, written, workdir);
    match into.0.get(&path) {
        Some(Node::Link { target }) if into.resolve(&path).is_none() => Some(lead(&path, target)),
        _ => None,
    }
}

/// Where a file is written that is copied to a path: through the link that stands there. The layer
/// then holds the link, too.
fn written_through(nodes: &mut BTreeMap<String, Node>, into: &Files, mut path: String) -> String {
    for _ in 0..MOST_LINKS {
        let Some(link @ Node::Link { target }) = into.0.get(&path) else {
            break;
        };
        nodes.insert(path.clone(), link.clone());
        path = beside(into, &format!("/{}", lead(&path, target)), "");
    }
    path
}

/// A path as Go's `filepath.Clean` has it, which keeps a slash at its end here.
pub(crate) fn cleaned(path: &str) -> String {
    let is_root = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_root => {}
            part => parts.push(part),
        }
    }
    let mut clean = parts.join("/");
    if is_root {
        clean.insert(0, '/');
    } else if clean.is_empty() {
        clean.push('.');
    }
    if path.ends_with('/') && !clean.ends_with('/') {
        clean.push('/');
    }
    clean
}

/// Whether a destination is a folder before the instruction is performed: what is there counts only
/// for a path from the root.
pub(crate) fn names_folder(into: &Files, written: &str) -> bool {
    if written.ends_with('/') {
        return true;
    }
    let there = written
        .starts_with('/')
        .then(|| into.resolve(&normal(written)));
    match there.flatten() {
        Some(real) => into.is_folder(&real),
        None => written == "." || written == "..",
    }
}

/// Whether a destination is a folder when the instruction is performed.
fn is_folder(into: &Files, written: &str, workdir: &str) -> bool {
    if written.ends_with('/') {
        return true;
    }
    let is_relative = !written.starts_with('/');
    let path = if is_relative {
        format!("{workdir}/{written}")
    } else {
        written.to_owned()
    };
    match into.resolve(&normal(&path)) {
        Some(real) => into.is_folder(&real),
        None => is_relative && written.ends_with('.'),
    }
}

/// Where a path of an instruction is, with the links above its last part followed.
fn beside(into: &Files, written: &str, workdir: &str) -> String {
    let path = if written.starts_with('/') {
        normal(written)
    } else {
        normal(&format!("{workdir}/{written}"))
    };
    match path.rsplit_once('/') {
        Some((above, name)) => join(&place(into, &format!("/{above}"), workdir), name),
        None => path,
    }
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

/// How many links a file is written through.
const MOST_LINKS: usize = 40;
/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

fn is_archive(file: &Path) -> io::Result<bool> {
    let mut start = [0; 512];
    let mut file = File::open(file)?;
    let count = file.read(&mut start)?;
    // kaniko takes all that is compressed for an archive.
    if start[..count].starts_with(&GZIP) {
        return Ok(true);
    }
    Ok(start[..count].get(257..262) == Some(b"ustar"))
}

fn unpack(file: &Path, folder: &Path) -> io::Result<()> {
    let mut reader = File::open(file)?;
    let mut start = [0; 2];
    reader.read_exact(&mut start)?;
    reader.seek(SeekFrom::Start(0))?;
    let unpacked = if start == GZIP {
        whole_tar(file)?;
        sidestep_context::unpack(reader, folder)
    } else {
        // The unpacker takes gzip: wrap what is not.
        let zipped = flate2::read::GzEncoder::new(reader, flate2::Compression::none());
        sidestep_context::unpack(zipped, folder)
    };
    unpacked.map(drop).map_err(io::Error::other)
}

/// Refuses what is compressed and no tar, in kaniko's words.
fn whole_tar(file: &Path) -> io::Result<()> {
    let mut inner = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(File::open(file)?);
    read.take(512).read_to_end(&mut inner)?;
    let why = match inner.len() {
        0 => return Ok(()),
        512 if inner.get(257..262) == Some(b"ustar") => return Ok(()),
        512 => "archive/tar: invalid tar header",
        _ => "unexpected EOF",
    };
    Err(io::Error::other(format!("unpacking local tar: {why}")))
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
