//! Files and folders.

use std::fs;
use std::path::Path;

/// Creates files below a folder, and the folders above them.
///
/// # Panics
/// If a file cannot be written.
pub fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = root.join(path);
        let folder = path.parent().expect("a file has a folder");
        fs::create_dir_all(folder).expect("the folder is created");
        fs::write(path, content).expect("the file is written");
    }
}

/// Copies a folder with everything in it.
///
/// # Panics
/// If a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is created");
    for entry in fs::read_dir(from).expect("the folder is read") {
        let entry = entry.expect("the folder is read");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("the type is known").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the file is copied");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_every_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        write(&from, &[("top", "1"), ("deep/er/file", "2")]);
        copy(&from, &to);
        let text = |path: &str| fs::read_to_string(to.join(path)).expect("it is there");
        assert_eq!(
            (text("top"), text("deep/er/file")),
            ("1".into(), "2".into())
        );
    }
}
