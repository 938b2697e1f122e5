//! The paths of destinations, and whether they are folders.

use crate::files::{Files, Node, join, normal};

/// Returns a path as cleaned by Go's `filepath.Clean`, but keeps a trailing slash.
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

/// Returns whether a destination is a folder before the instruction is performed. Existing folders
/// count only for an absolute path.
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

/// Returns whether a destination is a folder when the instruction is performed.
pub(super) fn is_folder(into: &Files, written: &str, workdir: &str) -> bool {
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

/// Returns the place in the image of an instruction's path, with links followed.
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

/// Returns the place in the image of an instruction's path, with links followed except in the last
/// part.
pub(super) fn beside(into: &Files, written: &str, workdir: &str) -> String {
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

/// Returns the target of a destination that is a dangling link.
pub(super) fn dangling(into: &Files, written: &str, workdir: &str) -> Option<String> {
    let path = beside(into, written, workdir);
    match into.0.get(&path) {
        Some(Node::Link { target }) if into.resolve(&path).is_none() => Some(lead(&path, target)),
        _ => None,
    }
}

/// Returns the target of a link at a path, by one step.
pub(super) fn lead(path: &str, target: &str) -> String {
    let above = path.rsplit_once('/').map_or("", |(above, _)| above);
    if target.starts_with('/') {
        normal(target)
    } else {
        normal(&format!("{above}/{target}"))
    }
}
