//! Reads files that the command line names: the user who starts the runner can read them.
//!
//! Pipes and standard input are supported too, as shells use them for `<(…)` and `|`. The process
//! can be ended while it waits for a writer, for example by Ctrl-C: nothing that needs a cleanup
//! has started yet.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl, fstat};

use crate::{Kind, OpenError, Stat, What};

/// Reads a file, a pipe or standard input; more than `limit` bytes are an error. Devices are not
/// read, because they may never end, except for terminals.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, OpenError> {
    crate::read(open(path)?, limit)
}

/// Reads a file, a pipe or standard input as text.
pub fn read_text(path: &Path, limit: u64) -> Result<String, OpenError> {
    crate::text(read(path, limit)?)
}

fn open(path: &Path) -> Result<File, OpenError> {
    let named = fs::metadata(path)?;
    // Only this open blocks, for a pipe's writer. A non-blocking one would read an empty pipe.
    let waits = named.file_type().is_fifo();
    let flags = if waits {
        OFlags::empty()
    } else {
        OFlags::NONBLOCK | OFlags::NOCTTY
    };
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    match Stat::of(&fstat(&file).map_err(io::Error::from)?).kind {
        Kind::File => Ok(file),
        Kind::Other(What::Pipe) if waits => Ok(file),
        Kind::Other(What::Pipe) => Err(OpenError::Changing),
        Kind::Other(What::Device) if file.is_terminal() => {
            let flags = fcntl_getfl(&file).map_err(io::Error::from)?;
            fcntl_setfl(&file, flags - OFlags::NONBLOCK).map_err(io::Error::from)?;
            Ok(file)
        }
        Kind::Other(what) => Err(OpenError::NotAFile(what)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;
    use std::thread;

    use rustix::fs::{CWD, mkfifoat};

    use super::*;

    #[test]
    fn files_and_links_to_them_are_read_up_to_the_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "12345").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("made");
        for path in [&file, &link] {
            assert_eq!(read_text(path, 5).expect("read"), "12345");
            assert!(matches!(read(path, 4), Err(OpenError::TooLarge(4))));
        }
        fs::write(&file, [0xff]).expect("written");
        assert!(matches!(read_text(&file, 5), Err(OpenError::NotText)));
        assert!(matches!(
            read(&folder.path().join("none"), 5),
            Err(OpenError::NotFound)
        ));
    }

    #[test]
    fn devices_and_folders_are_refused_before_they_are_read() {
        for (path, what) in [
            ("/dev/zero", What::Device),
            ("/dev/null", What::Device),
            ("/dev", What::Folder),
        ] {
            match read(Path::new(path), 5) {
                Err(OpenError::NotAFile(found)) => assert_eq!(found, what, "{path}"),
                other => panic!("{path}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_named_pipe_is_read_to_its_end_once_somebody_writes() {
        let folder = tempfile::tempdir().expect("a folder");
        let read_from = |name: &str, limit| {
            let pipe = folder.path().join(name);
            mkfifoat(CWD, &pipe, 0o600.into()).expect("made");
            let reader = thread::spawn({
                let pipe = pipe.clone();
                move || read_text(&pipe, limit)
            });
            // A reader that has enough may close the pipe before everything is written.
            let _ = fs::write(&pipe, "123456789");
            reader.join().expect("it ends")
        };
        assert_eq!(read_from("whole", 9).expect("read"), "123456789");
        let cut = read_from("cut", 3);
        assert!(matches!(cut, Err(OpenError::TooLarge(3))), "{cut:?}");
    }

    #[test]
    fn a_pipe_without_a_name_is_read_as_shells_pass_it() {
        let (reader, mut writer) = io::pipe().expect("made");
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        io::Write::write_all(&mut writer, b"text").expect("written");
        drop(writer);
        assert_eq!(read_text(Path::new(&path), 9).expect("read"), "text");
    }
}
