//! The SDK that the runner carries.

use std::fs;
use std::io;
use std::path::Path;

/// The folder of the SDK's copy in a plugin's project.
pub const SDK_FOLDER: &str = ".sidestep/sdk";

/// The files of the SDK, each with its path and its text.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// Returns the files of the SDK, each with its path and its text.
pub fn carried() -> &'static [(&'static str, &'static str)] {
    FILES
}

/// Writes the SDK into a plugin's project.
pub fn unpack(project: &Path) -> io::Result<()> {
    for (name, text) in FILES {
        write(&project.join(SDK_FOLDER).join(name), text)?;
    }
    Ok(())
}

/// Writes a file, and creates the folders above it.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}
