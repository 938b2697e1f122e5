//! The folders in which the loader finds libraries (ld.so(8), ldconfig(8)).

use std::fs;
use std::path::{Path, PathBuf};

use crate::object::Machine;

/// The file with the folders that an administrator added.
const CONFIGURATION: &str = "/etc/ld.so.conf";
/// The maximum depth of files that include others.
const DEPTH: usize = 8;

/// Returns the folders of this machine, in the loader's order.
///
/// Symlinks are followed, as `/lib64` is one to `/usr/lib` on some systems. In an image, which has no
/// such link, the loader searches the folder that it is built for.
pub(crate) fn of_loader(machine: Machine) -> Vec<PathBuf> {
    let mut folders = configured(Path::new(CONFIGURATION), DEPTH);
    let triple = machine.triple();
    let usual = [
        format!("/lib/{triple}"),
        format!("/usr/lib/{triple}"),
        "/lib64".to_owned(),
        "/usr/lib64".to_owned(),
        "/lib".to_owned(),
        "/usr/lib".to_owned(),
    ];
    folders.extend(usual.map(PathBuf::from));
    real(&folders)
}

/// Returns the existing folders without symlinks in their paths, each once.
fn real(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in folders
        .iter()
        .filter_map(|folder| fs::canonicalize(folder).ok())
    {
        if !found.contains(&folder) {
            found.push(folder);
        }
    }
    found
}

/// Reads the folders in a configuration file and in those that it includes.
fn configured(file: &Path, depth: usize) -> Vec<PathBuf> {
    let Some(depth) = depth.checked_sub(1) else {
        return Vec::new();
    };
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut folders = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        match line
            .strip_prefix("include")
            .filter(|rest| rest.starts_with([' ', '\t']))
        {
            Some(patterns) => {
                let beside = file.parent().unwrap_or(file);
                for pattern in patterns.split_whitespace() {
                    let files = matching(&beside.join(pattern));
                    folders.extend(files.iter().flat_map(|file| configured(file, depth)));
                }
            }
            None => {
                let parts = line.split([':', ',', ' ', '\t']);
                folders.extend(
                    parts
                        .filter(|part| part.starts_with('/'))
                        .map(PathBuf::from),
                );
            }
        }
    }
    folders
}

/// Returns the files that match a pattern, sorted: one star in the file's name, as in
/// `/etc/ld.so.conf.d/*.conf`.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let name = pattern.file_name().unwrap_or_default().to_string_lossy();
    let Some((start, end)) = name.split_once('*') else {
        return vec![pattern.to_owned()];
    };
    let entries = pattern
        .parent()
        .and_then(|folder| fs::read_dir(folder).ok());
    let names = entries.into_iter().flatten().filter_map(Result::ok);
    let mut files: Vec<PathBuf> = names
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_those_that_symlinks_lead_to() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        let library = root.join("usr/lib");
        fs::create_dir_all(library.join("x86_64-linux-gnu")).unwrap();
        std::os::unix::fs::symlink("usr/lib", root.join("lib")).unwrap();
        std::os::unix::fs::symlink("usr/lib", root.join("lib64")).unwrap();
        let folders = ["none", "lib/x86_64-linux-gnu", "lib64", "lib", "usr/lib"];
        let found = real(&folders.map(|folder| root.join(folder)));
        assert_eq!(found, [library.join("x86_64-linux-gnu"), library]);
    }

    #[test]
    fn included_files_are_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        let main = write(
            "ld.so.conf",
            "/first # why\ninclude conf.d/*.conf none.conf\n/last\n",
        );
        write("conf.d/b.conf", "/b1:/b2\nrelative\n");
        write(
            "conf.d/a.conf",
            "# only a comment\n\n/a\ninclude\t../ld.so.conf\n",
        );
        write("conf.d/c.txt", "/not");
        let found = configured(&main, 2);
        let expected = ["/first", "/a", "/b1", "/b2", "/last"].map(PathBuf::from);
        assert_eq!(found, expected);
    }
}
