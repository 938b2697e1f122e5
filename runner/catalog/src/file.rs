//! Reads a plugin's file.

use std::path::Path;

use sidestep_events::codes;
use sidestep_files::{Folder, OpenError, given, read};

use crate::PluginError;
use crate::component::MAX_COMPONENT;

/// The source of plugins' paths, which decides what may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    /// The author of a pipeline, who may only use files in the workspace. A file outside of it is
    /// rejected, whether the path uses `..`, is absolute, or goes through a link.
    OfPipelines,
    /// The user who started the runner.
    OfTheCommandLine,
}

impl Files {
    /// Reads a file. A relative path is relative to the workspace.
    pub(crate) fn read(self, workspace: &Path, named: &Path) -> Result<Vec<u8>, PluginError> {
        let limit = MAX_COMPONENT as u64;
        let path = workspace.join(named);
        let bytes = match self {
            Self::OfTheCommandLine => given::read(&path, limit),
            Self::OfPipelines => Folder::open(workspace)
                .map_err(OpenError::from)
                .and_then(|workspace| workspace.file(named, |_| Ok(())))
                .and_then(|file| read(file, limit)),
        };
        bytes.map_err(|error| unread(&path, &error))
    }
}

fn unread(path: &Path, error: &OpenError) -> PluginError {
    let path = path.display();
    let cannot = |code| PluginError::new(code, format!("can't read {path}: {error}"));
    match error {
        OpenError::Outside => PluginError::new(
            codes::plugin::OUTSIDE,
            format!("{path} is outside of the workspace"),
        )
        .with_help("copy the plugin into the workspace"),
        OpenError::NotFound => cannot(codes::plugin::NOT_FOUND).with_help(
            "paths are relative to the workspace; build the plugin first if it is built there",
        ),
        OpenError::TooLarge(_) => cannot(codes::plugin::TOO_LARGE),
        _ => cannot(codes::plugin::UNREADABLE)
            .with_help("name a regular file with a plugin's component"),
    }
}
