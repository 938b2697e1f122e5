use std::path::{Component, Path, PathBuf};

use sidestep_policy::{Kind, Pattern};

use crate::{Folder, OpenError, read, text};

/// The operator's patterns of files outside the workspace that pipelines may name:
/// `/run/secrets/*`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patterns(Vec<One>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct One {
    pattern: Pattern,
    /// The folder before the first star; links must not leave it.
    folder: PathBuf,
}

/// A text that is not a valid pattern of files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` {problem}")]
pub struct BadPattern {
    pattern: String,
    problem: String,
}

impl Patterns {
    /// Parses patterns. Each is an absolute path in which `*` matches characters within one part,
    /// and `**` characters across several parts.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, BadPattern> {
        let all = texts.into_iter().map(One::parse);
        Ok(Self(all.collect::<Result<_, _>>()?))
    }

    /// Returns the patterns as written.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|one| one.pattern.as_str())
    }

    /// Returns whether a pattern matches this path. A path with a `..` never matches.
    pub fn list(&self, path: &Path) -> bool {
        self.matching(path).next().is_some()
    }

    /// Reads a regular file of at most `limit` bytes that a pattern matches, as text. Links are
    /// followed while they stay beneath the pattern's fixed folder; Kubernetes mounts use such
    /// links.
    pub fn read_text(&self, path: &Path, limit: u64) -> Result<String, OpenError> {
        let mut refused = OpenError::Outside;
        for one in self.matching(path) {
            let read = || {
                let folder = Folder::open(&one.folder)?;
                let below = path.strip_prefix(&one.folder);
                let below = below.map_err(|_| OpenError::Outside)?;
                let file = folder.file(below, |_| Ok::<_, OpenError>(()))?;
                text(read(file, limit)?)
            };
            match read() {
                Err(error) => refused = error,
                text => return text,
            }
        }
        Err(refused)
    }

    fn matching(&self, path: &Path) -> impl Iterator<Item = &One> {
        let text = path.to_str().filter(|_| is_plain(path));
        let all = self.0.iter();
        all.filter(move |one| text.is_some_and(|text| one.pattern.matches(text)))
    }
}

impl One {
    fn parse(text: &str) -> Result<Self, BadPattern> {
        let wrong = |problem: String| BadPattern {
            pattern: text.to_owned(),
            problem,
        };
        let path = Path::new(text);
        if !is_plain(path) {
            return Err(wrong("is not an absolute path without `..`".to_owned()));
        }
        let pattern = Pattern::parse(Kind::Name, text).map_err(wrong)?;
        let fixed: PathBuf = path
            .components()
            .take_while(|part| !part.as_os_str().as_encoded_bytes().contains(&b'*'))
            .collect();
        let folder = if fixed == path {
            path.parent().map(Path::to_owned)
        } else {
            Some(fixed)
        };
        let folder = folder.ok_or_else(|| wrong("has no file name".to_owned()))?;
        Ok(Self { pattern, folder })
    }
}

/// Returns whether the path is absolute and has no `.`, `..` or empty part.
fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    let plain: PathBuf = path.components().collect();
    parts.next() == Some(Component::RootDir)
        && parts.all(|part| matches!(part, Component::Normal(_)))
        && plain.as_os_str() == path.as_os_str()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Creates a folder like a Kubernetes Secret mount: `key → ..data/key`, `..data → ..2026/`.
    fn mount() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("secrets/..2026")).expect("made");
        fs::write(at("secrets/..2026/key"), "s3cret").expect("written");
        symlink("..2026", at("secrets/..data")).expect("made");
        symlink("..data/key", at("secrets/key")).expect("made");
        fs::write(at("other"), "other").expect("written");
        symlink("../other", at("secrets/out")).expect("made");
        symlink("/etc/passwd", at("secrets/absolute")).expect("made");
        symlink(at("secrets/..2026/key"), at("secrets/within")).expect("made");
        folder
    }

    fn patterns(folder: &tempfile::TempDir, pattern: &str) -> Patterns {
        let pattern = folder.path().join(pattern).display().to_string();
        Patterns::parse([&*pattern]).expect("a pattern")
    }

    #[test]
    fn a_mounted_secret_is_read_through_its_links() {
        let folder = mount();
        let patterns = patterns(&folder, "secrets/*");
        for key in ["secrets/key", "secrets/within"] {
            let path = folder.path().join(key);
            assert!(patterns.list(&path));
            assert_eq!(patterns.read_text(&path, 6).expect(key), "s3cret");
            let short = patterns.read_text(&path, 5);
            assert!(matches!(short, Err(OpenError::TooLarge(5))));
        }
    }

    #[test]
    fn links_that_leave_the_fixed_folder_are_refused() {
        let folder = mount();
        let patterns = patterns(&folder, "secrets/*");
        for name in ["secrets/out", "secrets/absolute"] {
            let read = patterns.read_text(&folder.path().join(name), 100);
            assert!(matches!(read, Err(OpenError::Outside)), "{name}: {read:?}");
        }
        let wider = self::patterns(&folder, "**");
        let read = wider.read_text(&folder.path().join("secrets/out"), 100);
        assert_eq!(read.expect("beneath the wider folder"), "other");
    }

    #[test]
    fn only_what_a_pattern_stands_for_is_listed() {
        let patterns = Patterns::parse(["/run/secrets/*", "/etc/token"]).expect("patterns");
        for (path, listed) in [
            ("/run/secrets/key", true),
            ("/etc/token", true),
            ("/run/secrets/a/key", false),
            ("/run/secrets/../../etc/shadow", false),
            ("/run/secrets/./key", false),
            ("/run//secrets/key", false),
            ("/run/secrets", false),
            ("run/secrets/key", false),
            ("/etc/token2", false),
        ] {
            assert_eq!(patterns.list(Path::new(path)), listed, "{path}");
        }
    }

    #[test]
    fn patterns_are_absolute_and_name_files() {
        for pattern in [
            "secrets/*",
            "",
            "/",
            "/run/../etc/*",
            "./x",
            "/run/secrets/",
        ] {
            assert!(Patterns::parse([pattern]).is_err(), "{pattern}");
        }
    }
}
