//! Creates files beneath a folder.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use super::{Folder, regular};
use crate::without_links::{self, For};

impl Folder {
    /// Creates or truncates a regular file beneath the folder, and creates the missing folders above
    /// it. Only the user may read what it creates.
    ///
    /// # Errors
    ///
    /// A link anywhere on the path is an error, and so are `..` and an entry that is not a regular
    /// file. An existing file is truncated only after this check.
    pub fn create(&self, path: &Path) -> io::Result<File> {
        let mut parts = parts(path)?;
        let last = parts.pop().ok_or(Errno::ISDIR)?;
        let mut held: Option<OwnedFd> = None;
        for part in parts {
            let at = held.as_ref().map_or(self.0.folder.as_fd(), OwnedFd::as_fd);
            match mkdirat(at, part, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno.into()),
            }
            held = Some(without_links::open(at, Path::new(part), For::Passing)?);
        }
        let at = held.as_ref().map_or(self.0.folder.as_fd(), OwnedFd::as_fd);
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::NONBLOCK | OFlags::NOCTTY;
        let how = how | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(at, last, how, Mode::RUSR | Mode::WUSR)?;
        let file = regular(File::from(file)).map_err(io::Error::from)?;
        file.set_len(0)?;
        Ok(file)
    }
}

/// Returns the names on a path that stays beneath its folder.
fn parts(path: &Path) -> io::Result<Vec<&OsStr>> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let name = |part| match part {
        Component::Normal(name) => Ok(name),
        _ => Err(Errno::XDEV.into()),
    };
    parts.map(name).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_created_beneath_the_folder_and_nowhere_else() {
        let outside = tempfile::tempdir().expect("a folder");
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let victim = outside.path().join("victim");
        fs::write(&victim, "kept").expect("written");
        fs::create_dir(at("taken")).expect("made");
        symlink(&victim, at("link")).expect("made");
        symlink(outside.path(), at("linked")).expect("made");
        let open = Folder::open(folder.path()).expect("opened");
        for content in ["longer than the next", "short"] {
            let mut file = open.create(Path::new("a/./b/file")).expect("created");
            file.write_all(content.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(at("a/b/file")).expect("read"), content);
        }
        for path in [
            "",
            ".",
            "link",
            "linked/victim",
            "linked/new",
            "taken",
            "../x",
            "a/../../x",
            "/x",
        ] {
            open.create(Path::new(path)).expect_err(path);
        }
        assert_eq!(fs::read_to_string(&victim).expect("read"), "kept");
        let left = fs::read_dir(outside.path()).expect("listed").count();
        assert_eq!(left, 1, "nothing was created outside");
    }
}
