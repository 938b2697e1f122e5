use std::{
    borrow::Cow,
    cmp::Ordering,
    ffi::OsStr,
    fmt,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// A path inside a context: relative, separated by `/`, without `.`, `..` or
/// empty parts. Names are bytes, as Unix has them.
///
/// The order puts a folder's content directly behind the folder: `a`, `a/b`,
/// `a.txt`. It is the archive's order.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RelPath(Box<[u8]>);

impl RelPath {
    /// Creates a path if it is valid in a context: `None` for the empty path, absolute ones, and
    /// those with a part that is empty, `.` or `..`, or that contains a NUL.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        let bad =
            |part: &[u8]| part.is_empty() || part == b"." || part == b".." || part.contains(&0);
        (!bytes.split(|&b| b == b'/').any(bad)).then(|| Self(bytes.into()))
    }

    /// Creates a path from a user's text: `./a//b/` is `a/b`, and `..` is resolved. `None` if it
    /// leaves the context or is the context itself.
    pub fn clean(path: &Path) -> Option<Self> {
        let cleaned = crate::ignore::clean(path.as_os_str().as_bytes());
        if cleaned == b"." {
            None
        } else {
            Self::new(cleaned)
        }
    }

    /// Returns the path as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the path as the operating system's type.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// Returns the path as text; invalid UTF-8 is replaced.
    pub fn to_str_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    pub(crate) fn child(parent: Option<&Self>, name: &OsStr) -> Self {
        let mut bytes = Vec::with_capacity(parent.map_or(0, |p| p.0.len() + 1) + name.len());
        if let Some(parent) = parent {
            bytes.extend_from_slice(&parent.0);
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name.as_bytes());
        Self(bytes.into())
    }

    /// Returns the folders above the path, outermost first.
    pub(crate) fn ancestors(&self) -> impl Iterator<Item = RelPath> + '_ {
        let slashes = self.0.iter().enumerate().filter(|&(_, &b)| b == b'/');
        slashes.map(|(at, _)| Self(self.0[..at].into()))
    }

    /// Returns whether this is `folder` or below it.
    pub(crate) fn within(&self, folder: &Self) -> bool {
        self.0.starts_with(&folder.0) && matches!(self.0.get(folder.0.len()), None | Some(b'/'))
    }

    /// Returns the rest of a path below `folder`.
    pub(crate) fn below(&self, folder: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&folder.0[..])?.strip_prefix(b"/")?;
        Self::new(rest)
    }

    pub(crate) fn join(&self, below: &Self) -> Self {
        Self([&self.0[..], b"/", &below.0[..]].concat().into())
    }

    pub(crate) fn under(&self, root: &Path) -> PathBuf {
        root.join(self.as_path())
    }
}

impl Ord for RelPath {
    fn cmp(&self, other: &Self) -> Ordering {
        let common = self
            .0
            .iter()
            .zip(&other.0)
            .take_while(|(a, b)| a == b)
            .count();
        let key = |bytes: &[u8]| bytes.get(common).map(|&b| if b == b'/' { 0 } else { b });
        key(&self.0).cmp(&key(&other.0))
    }
}

impl PartialOrd for RelPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_str_lossy(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).expect("a good path")
    }

    #[test]
    fn only_paths_inside_are_taken() {
        for bad in [
            "", "/", "/a", "a/", "a//b", "./a", "a/..", "../a", "..", "a\0b",
        ] {
            assert_eq!(RelPath::new(bad), None, "{bad:?}");
        }
        assert_eq!(path("a/...").as_bytes(), b"a/...");
        assert_eq!(RelPath::clean(Path::new("./a//b/../c/")), Some(path("a/c")));
        assert_eq!(RelPath::clean(Path::new("a/../..")), None);
        assert_eq!(RelPath::clean(Path::new(".")), None);
        assert_eq!(RelPath::clean(Path::new("/etc")), None);
    }

    #[test]
    fn content_follows_its_folder() {
        let mut paths = ["a.txt", "a/b", "a", "a-b", "a/b/c"].map(path);
        paths.sort();
        assert_eq!(paths, ["a", "a/b", "a/b/c", "a-b", "a.txt"].map(path));
    }

    #[test]
    fn within_is_by_parts() {
        assert!(path("a/b").within(&path("a")));
        assert!(path("a").within(&path("a")));
        assert!(!path("ab").within(&path("a")));
        assert_eq!(
            path("a/b/c").ancestors().collect::<Vec<_>>(),
            ["a", "a/b"].map(path)
        );
    }
}
