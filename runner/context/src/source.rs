//! Where entries come from.

use crate::RelPath;
use std::path::PathBuf;

/// Where entries come from: a folder (or one file) on disk that stands at a
/// place of the context.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) disk: PathBuf,
    pub(crate) at: Option<RelPath>,
}

impl Source {
    pub(crate) fn path_of(&self, path: &RelPath) -> PathBuf {
        let Some(at) = &self.at else {
            return path.under(&self.disk);
        };
        match path
            .as_bytes()
            .get(at.as_bytes().len() + 1..)
            .and_then(RelPath::new)
        {
            Some(below) => below.under(&self.disk),
            None => self.disk.clone(),
        }
    }
}
