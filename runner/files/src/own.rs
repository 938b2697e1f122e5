//! Checks that only the user can change a file's content.
//!
//! A file is the user's own if it and its folder belong to the user or to root, and only their
//! owner can write to them. The group counts as others, because its members are not known here.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sidestep_contract::Command;
use thiserror::Error;

/// The bits of a mode that give write permission to others than the owner.
const OTHERS_WRITE: u32 = 0o022;
const ROOT: u32 = 0;

/// The reason why a file cannot be used as the user's own.
#[derive(Debug, Error)]
pub enum OwnError {
    /// The file cannot be opened or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Another user can change its content.
    #[error(transparent)]
    NotOwn(#[from] NotOwn),
}

/// A file or folder that another user can change. Its text states the path, the owner and the mode.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct NotOwn {
    path: PathBuf,
    owner: u32,
    mode: u32,
    user: u32,
}

impl NotOwn {
    /// Judges an owner and a mode for a user.
    fn judge(path: &Path, owner: u32, mode: u32, user: u32) -> Result<(), Self> {
        let found = Self {
            path: path.to_owned(),
            owner,
            mode: mode & 0o7777,
            user,
        };
        if found.has_foreign_owner() || found.others_can_write() {
            Err(found)
        } else {
            Ok(())
        }
    }

    /// Returns the file or folder that another user can change.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the commands that make it the user's own, in order. Everything in its path that is
    /// not UTF-8 becomes U+FFFD.
    pub fn repair(&self) -> Vec<Command> {
        let path = self.path.to_string_lossy();
        let user = self.user.to_string();
        let chmod = |words| Command::new(words).words(&["go-w"]);
        let foreign = self.has_foreign_owner();
        let own = Command::new(&["sudo", "chown"]).value(user);
        let close = if foreign || self.owner == self.user {
            chmod(&["chmod"])
        } else {
            chmod(&["sudo", "chmod"])
        };
        let own = foreign.then(|| own.value(&*path).build()).flatten();
        let close = self.others_can_write().then(|| close.value(&*path).build());
        own.into_iter().chain(close.flatten()).collect()
    }

    fn has_foreign_owner(&self) -> bool {
        self.owner != self.user && self.owner != ROOT
    }

    fn others_can_write(&self) -> bool {
        self.mode & OTHERS_WRITE != 0
    }
}

impl fmt::Display for NotOwn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            owner,
            mode,
            user,
        } = self;
        let path = path.display();
        if self.has_foreign_owner() {
            write!(
                f,
                "{path} belongs to another user (owner uid {owner}, mode {mode:04o}, your uid {user})"
            )
        } else {
            write!(
                f,
                "{path} can be written by others (owner uid {owner}, mode {mode:04o})"
            )
        }
    }
}

/// Opens a regular file for reading if it is the user's own. Links are followed; the folders of
/// the link and of the file are judged as well. Does not wait for a pipe's writer.
pub fn open(path: &Path) -> Result<File, OwnError> {
    // Open first: if the file does not exist, the owner of the folder does not matter.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file").into());
    }
    folder(parent(path))?;
    // Only the user can change the folder, so a link in it has not changed.
    let real = path.canonicalize()?;
    judge(&real, &metadata)?;
    if real != path {
        folder(parent(&real))?;
    }
    Ok(file)
}

/// Judges the folder itself, not its parent. A link is followed.
pub fn folder(path: &Path) -> Result<(), OwnError> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::NotADirectory).into());
    }
    Ok(judge(path, &metadata)?)
}

/// Judges the metadata of a file or folder; `path` is for the message.
pub fn judge(path: &Path, metadata: &Metadata) -> Result<(), NotOwn> {
    let user = rustix::process::geteuid().as_raw();
    NotOwn::judge(path, metadata.uid(), metadata.mode(), user)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const USER: u32 = 1000;

    fn judged(owner: u32, mode: u32) -> Result<(), NotOwn> {
        NotOwn::judge(Path::new("/home/a/config.yaml"), owner, mode, USER)
    }

    fn repair(found: &NotOwn) -> Vec<String> {
        found.repair().iter().map(Command::to_line).collect()
    }

    #[test]
    fn files_of_the_user_and_of_root_are_own() {
        for owner in [USER, ROOT] {
            for mode in [0o100_600, 0o100_644, 0o100_444, 0o040_755, 0o100_000] {
                assert_eq!(judged(owner, mode), Ok(()), "{owner} {mode:o}");
            }
        }
    }

    #[test]
    fn a_foreign_owner_is_named_with_the_command_that_repairs_it() {
        let found = judged(1001, 0o100_644).expect_err("another user's");
        assert_eq!(
            found.to_string(),
            "/home/a/config.yaml belongs to another user (owner uid 1001, mode 0644, your uid 1000)"
        );
        assert_eq!(repair(&found), ["sudo chown 1000 /home/a/config.yaml"]);
        let found = judged(1001, 0o100_666).expect_err("another user's");
        assert_eq!(
            repair(&found),
            [
                "sudo chown 1000 /home/a/config.yaml",
                "chmod go-w /home/a/config.yaml"
            ]
        );
    }

    #[test]
    fn a_file_that_group_or_others_can_write_is_not_own() {
        for mode in [0o100_666, 0o100_664, 0o100_602, 0o041_777] {
            let found = judged(USER, mode).expect_err("writable");
            assert!(found.to_string().contains("can be written by others"));
            assert_eq!(repair(&found), ["chmod go-w /home/a/config.yaml"]);
            assert_eq!(
                repair(&judged(ROOT, mode).expect_err("writable")),
                ["sudo chmod go-w /home/a/config.yaml"]
            );
        }
    }

    #[test]
    fn a_command_quotes_a_path_for_the_shell() {
        for (path, word) in [
            ("/a/b.yaml", "/a/b.yaml"),
            ("/a b/$(c)", "'/a b/$(c)'"),
            ("/it's", r"'/it'\''s'"),
        ] {
            let found = NotOwn::judge(Path::new(path), USER, 0o666, USER);
            let found = found.expect_err("writable");
            assert_eq!(repair(&found), [format!("chmod go-w {word}")]);
        }
    }

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            let home = tempfile::tempdir().expect("a folder");
            fs::write(home.path().join("file"), "text").expect("written");
            set(&home.path().join("file"), 0o600);
            Self(home)
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("set");
    }

    fn not_own(result: Result<File, OwnError>) -> PathBuf {
        match result {
            Err(OwnError::NotOwn(found)) => found.path().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_and_its_folder_are_judged() {
        let home = Home::new();
        open(&home.at("file")).expect("own");
        set(&home.at("file"), 0o622);
        assert!(not_own(open(&home.at("file"))).ends_with("file"));
        set(&home.at("file"), 0o600);
        set(home.0.path(), 0o777);
        assert_eq!(not_own(open(&home.at("file"))), home.0.path());
        // In a sticky folder others cannot replace the file, but may have created it.
        set(home.0.path(), 0o1777);
        assert_eq!(not_own(open(&home.at("file"))), home.0.path());
    }

    #[test]
    fn where_there_is_no_file_the_folder_does_not_matter() {
        let home = Home::new();
        set(home.0.path(), 0o777);
        match open(&home.at("none")) {
            Err(OwnError::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_link_is_judged_by_the_file_and_folder_that_it_leads_to() {
        let home = Home::new();
        let open_folder = home.at("open");
        fs::create_dir(&open_folder).expect("made");
        fs::write(open_folder.join("theirs"), "text").expect("written");
        set(&open_folder.join("theirs"), 0o600);
        symlink("open/theirs", home.at("link")).expect("made");
        set(&open_folder, 0o777);
        assert!(not_own(open(&home.at("link"))).ends_with("open"));
        set(&open_folder, 0o700);
        open(&home.at("link")).expect("own");
    }

    #[test]
    fn what_is_no_file_is_an_error_and_a_pipe_is_not_waited_for() {
        let home = Home::new();
        rustix::fs::mkfifoat(rustix::fs::CWD, home.at("pipe"), 0o600.into()).expect("made");
        for name in ["pipe", "none", ".."] {
            let error = open(&home.at(name));
            assert!(matches!(error, Err(OwnError::Io(_))), "{name}: {error:?}");
        }
        assert!(folder(&home.at("file")).is_err());
    }
}
