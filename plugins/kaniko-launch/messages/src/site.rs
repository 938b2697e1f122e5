//! The places in kaniko's source that create errors.

use crate::kind::Kind;

/// The role of an error that a site creates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is the outer prefix of a final error.
    Outer,
    /// It wraps another error, which decides.
    Link,
    /// It means something that has an answer.
    Says(Kind),
    /// It is internal to kaniko: `kaniko.failed`, with the message.
    Internal,
    /// It never ends a build of kaniko-launch, for this reason.
    Never(&'static str),
}

/// A format string of kaniko's, with every place in a file that uses it.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// The words, with `{}` for the arguments.
    pub words: &'static str,
    /// The number of places in the file that use them.
    pub places: usize,
    /// The role of the error.
    pub role: Role,
}

/// A file of kaniko's source with its sites.
#[derive(Debug)]
pub struct Source {
    /// The path in kaniko's repository.
    pub file: &'static str,
    /// The sites, in the file's order.
    pub sites: &'static [Site],
}

impl Site {
    const fn new(words: &'static str, role: Role) -> Self {
        Self {
            words,
            places: 1,
            role,
        }
    }

    /// Sets the number of places.
    pub(crate) const fn times(mut self, places: usize) -> Self {
        self.places = places;
        self
    }
}

pub(crate) const fn outer(words: &'static str) -> Site {
    Site::new(words, Role::Outer)
}

pub(crate) const fn link(words: &'static str) -> Site {
    Site::new(words, Role::Link)
}

pub(crate) const fn says(kind: Kind, words: &'static str) -> Site {
    Site::new(words, Role::Says(kind))
}

pub(crate) const fn internal(words: &'static str) -> Site {
    Site::new(words, Role::Internal)
}

pub(crate) const fn never(why: &'static str, words: &'static str) -> Site {
    Site::new(words, Role::Never(why))
}
