//! The file that a log is appended to.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::Write;

/// The permissions of a log file: only its owner may read and write it.
const OWNERS: u32 = 0o600;

/// A log that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the log {} can't be written: {error}", path.display())]
pub struct Unwritable {
    path: PathBuf,
    error: io::Error,
}

/// Returns a function that appends lines to a file, and whether it is a regular file. A line that cannot be written is lost: a full
/// disk must not end a run.
pub(crate) fn append_to(path: &Path) -> Result<(Write, bool), Unwritable> {
    let (mut file, is_file) = open(path).map_err(|error| Unwritable {
        path: path.to_owned(),
        error,
    })?;
    let write = move |line: &str| {
        // One write, so that processes that share the file do not mix their lines.
        let _ = file.write_all(format!("{line}\n").as_bytes());
    };
    Ok((Box::new(write), is_file))
}

fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(OWNERS);
    // Opening a pipe without a reader would block for ever; this way it is an error (ENXIO).
    let at_once = OFlags::NONBLOCK.bits().cast_signed();
    let file = options.custom_flags(at_once).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        // Its lines are written by a thread that may wait.
        return Ok((options.custom_flags(0).open(path)?, false));
    }
    // A device or a pipe keeps the permissions that its creator set.
    if found.permissions().mode() & 0o777 != OWNERS {
        file.set_permissions(Permissions::from_mode(OWNERS))?;
    }
    Ok((file, true))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_log_is_its_owner_s_alone_even_where_the_file_was_not() {
        let folder = tempfile::tempdir().expect("a folder");
        for there in [false, true] {
            let path = folder.path().join(format!("log-{there}"));
            if there {
                fs::write(&path, "before\n").expect("written");
                fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("set");
            }
            let (mut write, is_file) = append_to(&path).expect("opened");
            assert!(is_file);
            write("line");
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let text = fs::read_to_string(&path).expect("read");
            assert_eq!(text, if there { "before\nline\n" } else { "line\n" });
        }
    }

    #[test]
    fn a_device_is_not_a_regular_file_and_keeps_its_mode() {
        let before = fs::metadata("/dev/null").expect("there").permissions();
        let (_, is_file) = append_to(Path::new("/dev/null")).expect("opened");
        assert!(!is_file);
        let after = fs::metadata("/dev/null").expect("there").permissions();
        assert_eq!(after, before);
    }

    #[test]
    fn a_pipe_without_a_reader_is_an_error_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .expect("made");
        assert!(append_to(&path).is_err());
    }

    #[test]
    fn a_log_that_can_t_be_opened_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let Err(wrong) = append_to(folder.path()) else {
            panic!("a folder is no log");
        };
        let named = format!("the log {} can't be written: ", folder.path().display());
        assert!(wrong.to_string().starts_with(&named), "{wrong}");
    }
}
