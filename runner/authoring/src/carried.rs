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

/// Writes the SDK into a plugin's project. The folder appears only when it is complete.
pub fn unpack(project: &Path) -> io::Result<()> {
    let folder = project.join(SDK_FOLDER);
    let new = folder.with_extension("new");
    discard(&new)?;
    for (name, text) in FILES {
        write(&new.join(name), text)?;
    }
    fs::rename(new, folder)
}

/// Removes a folder that an interrupted command left.
pub(crate) fn discard(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file, and creates the folders above it.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_unpacking_is_done_again() {
        let project = tempfile::tempdir().expect("a folder");
        let hidden = project.path().join(".sidestep");
        write(&hidden.join("sdk.new/rust/half.rs"), "half").expect("written");
        unpack(project.path()).expect("it is unpacked");
        for (name, text) in FILES {
            let path = project.path().join(SDK_FOLDER).join(name);
            assert_eq!(fs::read_to_string(path).expect(name), *text);
        }
        assert!(!hidden.join("sdk/rust/half.rs").exists());
        assert_eq!(fs::read_dir(hidden).expect("a folder").count(), 1);
    }
}
