use super::{BadRule, Decision, Inherited, Rules, read};
use crate::{Error, RelPath};
use sidestep_files::{Folder, OpenError};
use std::{fmt, path::Path};

/// The maximum size of an ignore file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A parsed ignore file of a context.
#[derive(Debug)]
pub struct Ignore {
    file: Option<RelPath>,
    rules: Rules,
}

/// The reason why a path is in a context or not. `Display` formats it as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the path is excluded.
    pub ignored: bool,
    /// The reason for the decision.
    pub reason: Reason,
}

/// The reason for the decision about a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There is no ignore file.
    NoIgnoreFile,
    /// No line matches the path or a folder above it.
    NoLine {
        /// The ignore file, relative to the context.
        file: String,
    },
    /// A line matches the path or a folder above it, and no later line changes that.
    Line {
        /// The ignore file, relative to the context.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The pattern, cleaned.
        pattern: String,
    },
}

impl Ignore {
    /// Reads `<Dockerfile>.dockerignore`, or else the context's `.dockerignore`. Without either,
    /// nothing is excluded.
    ///
    /// `dockerfile` is relative to the context; it need not exist.
    pub fn load(root: &Path, dockerfile: &RelPath) -> Result<Self, Error> {
        let root = Folder::open(root).map_err(Error::io("read", root))?;
        Self::load_in(&root, dockerfile, &[])
    }

    /// Like [`load`](Self::load), with further patterns that are applied after those of the file.
    /// They have line 0. A link is followed while it stays in the context.
    pub(crate) fn load_in(
        root: &Folder,
        dockerfile: &RelPath,
        more: &[String],
    ) -> Result<Self, Error> {
        let own = [dockerfile.as_bytes(), b".dockerignore"].concat();
        let candidates = [RelPath::new(own), RelPath::new(".dockerignore")];
        Self::first_of(root, candidates.into_iter().flatten(), more)
    }

    /// Reads the first existing ignore file, as a builder does with an unpacked archive; paths are
    /// relative to `root`. Without any, nothing is excluded.
    pub fn load_first(
        root: &Path,
        candidates: impl IntoIterator<Item = RelPath>,
    ) -> Result<Self, Error> {
        let root = Folder::open(root).map_err(Error::io("read", root))?;
        Self::first_of(&root, candidates, &[])
    }

    fn first_of(
        root: &Folder,
        candidates: impl IntoIterator<Item = RelPath>,
        more: &[String],
    ) -> Result<Self, Error> {
        for file in candidates {
            match root.read(&file.under(Path::new("")), MAX_BYTES) {
                Ok(content) => return Self::parse(file, &content, more),
                Err(OpenError::NotFound) => {}
                Err(source) => {
                    return Err(Error::IgnoreFile {
                        file: file.to_str_lossy().into_owned(),
                        source,
                    });
                }
            }
        }
        let file = RelPath::new(".dockerignore").expect("a good path");
        Ok(Self {
            file: None,
            rules: Rules::new(numbered(more)).map_err(|bad| pattern_error(&file, bad))?,
        })
    }

    /// Returns rules that exclude nothing.
    pub(crate) fn nothing() -> Self {
        Self {
            file: None,
            rules: Rules::default(),
        }
    }

    fn parse(file: RelPath, content: &[u8], more: &[String]) -> Result<Self, Error> {
        let lines = read(content).map_err(|error| Error::LongLine {
            file: file.to_str_lossy().into_owned(),
            line: error.number,
        })?;
        let patterns = lines.iter().map(|line| (line.number, &line.pattern[..]));
        let rules =
            Rules::new(patterns.chain(numbered(more))).map_err(|bad| pattern_error(&file, bad))?;
        Ok(Self {
            file: Some(file),
            rules,
        })
    }

    /// Returns the ignore file that applies, relative to the context.
    pub fn file(&self) -> Option<&RelPath> {
        self.file.as_ref()
    }

    /// Returns the decision about a path, and the line that made it.
    pub fn explain(&self, path: &RelPath) -> Result<Explanation, Error> {
        let Some(file) = &self.file else {
            return Ok(Explanation {
                ignored: false,
                reason: Reason::NoIgnoreFile,
            });
        };
        let decision = self
            .rules
            .decide(path.as_bytes())
            .map_err(|bad| pattern_error(file, bad))?;
        let file = file.to_str_lossy().into_owned();
        let reason = match decision.rule.map(|rule| &self.rules.rules()[rule]) {
            Some(rule) => Reason::Line {
                file,
                line: rule.line,
                pattern: rule.text.clone(),
            },
            None => Reason::NoLine { file },
        };
        Ok(Explanation {
            ignored: decision.ignored,
            reason,
        })
    }

    /// Returns whether kaniko excludes the path from a `COPY` when it filters its unpacked context
    /// by this file.
    pub fn kaniko_excludes(&self, path: &RelPath) -> bool {
        self.rules.kaniko_excludes(path.as_bytes())
    }

    /// Decides about an entry of a folder, and returns the state that its own content inherits.
    pub(crate) fn decide(
        &self,
        path: &RelPath,
        above: &Inherited,
    ) -> Result<(Decision, Inherited), Error> {
        let decided = self.rules.decide_in(path.as_bytes(), above);
        decided.map_err(|bad| self.error(bad))
    }

    pub(crate) fn may_reinclude_below(&self, folder: &RelPath, decision: Decision) -> bool {
        self.rules.may_reinclude_below(folder.as_bytes(), decision)
    }

    fn error(&self, bad: BadRule) -> Error {
        let file = self.file.clone().or_else(|| RelPath::new(".dockerignore"));
        pattern_error(&file.expect("a good path"), bad)
    }
}

/// Numbers the patterns that are not in a file.
fn numbered(more: &[String]) -> impl Iterator<Item = (usize, &[u8])> {
    more.iter().map(|pattern| (0, pattern.as_bytes()))
}

fn pattern_error(file: &RelPath, bad: BadRule) -> Error {
    Error::Pattern {
        file: file.to_str_lossy().into_owned(),
        line: bad.rule.line,
        pattern: bad.rule.text,
        reason: bad.problem.reason(),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.ignored {
            "left out"
        } else {
            "in the context"
        })?;
        match &self.reason {
            Reason::NoIgnoreFile => f.write_str(": there is no .dockerignore"),
            Reason::NoLine { file } => write!(f, ": no line of {file} matches"),
            Reason::Line {
                file,
                line,
                pattern,
            } => write!(f, ": {file}:{line}: {pattern}"),
        }
    }
}
