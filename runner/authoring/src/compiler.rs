//! Asks a Rust compiler for its facts.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A version of Rust: major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u32, u32);

/// The version of Rust that a project needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) version: Version,
    /// The name of the project's folder.
    pub(crate) project: String,
}

/// A Rust compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compiler {
    /// Its name and version, as it prints them.
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) sysroot: PathBuf,
    /// The target that it is itself compiled for.
    pub(crate) host: String,
}

/// The result of asking a compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It works.
    Answered(Compiler),
    /// It exists but does not work; what it printed.
    Failed(String),
    /// There is none.
    Absent,
}

impl Version {
    /// Parses the first two numbers of a version.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().split('.').map(str::parse);
        let major = numbers.next()?.ok()?;
        Some(Self(major, numbers.next().unwrap_or(Ok(0)).ok()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl Needed {
    /// Reads the version from the text of a manifest. The SDK needs at least the version that this
    /// crate is built with.
    pub(crate) fn of(folder: &Path, manifest: &str) -> Self {
        let named = manifest.lines().find_map(|line| {
            let value = line.trim().strip_prefix("rust-version")?;
            let value = value.trim_start().strip_prefix('=')?;
            Version::parse(value.trim().split('"').nth(1)?)
        });
        let ours = Version::parse(env!("CARGO_PKG_RUST_VERSION"));
        Self {
            version: named.max(ours).unwrap_or(Version(1, 0)),
            project: folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        }
    }
}

impl Asked {
    /// Returns the compiler if it works.
    pub(crate) fn answer(&self) -> Option<&Compiler> {
        match self {
            Self::Answered(compiler) => Some(compiler),
            Self::Failed(_) | Self::Absent => None,
        }
    }
}

impl Compiler {
    /// Asks a compiler for its facts, in a folder that may select a version.
    pub(crate) fn ask(program: impl Fn() -> Command, folder: &Path) -> Asked {
        let answer = |arguments: &[&str]| {
            let mut command = program();
            let output = match command.current_dir(folder).args(arguments).output() {
                Ok(output) => output,
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(Asked::Absent),
                Err(error) => return Err(Asked::Failed(error.to_string())),
            };
            if output.status.success() {
                return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
            }
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(Asked::Failed(if said.is_empty() {
                output.status.to_string()
            } else {
                said
            }))
        };
        let asked = answer(&["-vV"]).and_then(|verbose| {
            let sysroot = answer(&["--print", "sysroot"])?;
            Self::read(&verbose, sysroot.into()).ok_or(Asked::Failed(verbose))
        });
        asked.map_or_else(|failed| failed, Asked::Answered)
    }

    fn read(verbose: &str, sysroot: PathBuf) -> Option<Self> {
        let name = verbose.lines().next()?;
        let host = verbose
            .lines()
            .find_map(|line| line.strip_prefix("host: "))?;
        Some(Self {
            version: Version::parse(name.split(' ').nth(1)?)?,
            name: name.to_owned(),
            sysroot,
            host: host.to_owned(),
        })
    }

    /// Returns the folder of the standard libraries.
    pub(crate) fn libraries(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib")
    }

    /// Returns whether rustup installed it: into `toolchains/NAME`.
    pub(crate) fn is_of_rustup(&self) -> bool {
        let parent = self.sysroot.parent().and_then(Path::file_name);
        parent.is_some_and(|name| name == "toolchains")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_needs_its_own_version_and_at_least_the_sdk_s() {
        let needed = |manifest: &str| {
            Needed::of(Path::new("/p/mine"), manifest)
                .version
                .to_string()
        };
        let ours = env!("CARGO_PKG_RUST_VERSION");
        assert_eq!(needed("[package]\nrust-version = \"1.999.1\"\n"), "1.999");
        for manifest in [
            "rust-version = \"1.70\"",
            "rust-version.workspace = true",
            "name = \"mine\"",
            "",
        ] {
            assert_eq!(needed(manifest), ours);
        }
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let version = |text| Version::parse(text).expect(text);
        assert!(version("1.100.0-nightly") > version("1.95"));
        assert!(version("2.0") > version("1.95.1"));
        assert_eq!(version("1.95"), version("1.95.3"));
        assert_eq!(Version::parse("stable"), None);
    }

    #[test]
    fn the_page_for_authors_names_the_version() {
        let page = include_str!("../../../docs/first-step.md");
        let named = format!("Rust {} or later", env!("CARGO_PKG_RUST_VERSION"));
        assert!(page.contains(&named), "{named}");
    }
}
