use crate::{Error, RelPath};
use flate2::read::MultiGzDecoder;
use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{OpenOptionsExt, PermissionsExt, symlink},
    },
    path::Path,
};
use tar::{Archive, Entry, EntryType};

/// The disk space of an entry beside its content, in bytes: an inode and its name.
const ENTRY: u64 = 512;

/// The result of unpacking an archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// The number of files, folders and links.
    pub entries: u64,
    /// The size of the files' content, in bytes.
    pub bytes: u64,
}

/// Unpacks an untrusted `tar.gz` into a folder that no other process writes to.
///
/// Nothing is written outside `into`. Rejected are: names that are absolute or contain `..`,
/// entries that would be written through a symbolic link, hard links to anything but a file from
/// the archive, and devices. Symbolic links are created unchanged, wherever they point: readers of
/// the folder must not follow them out of it. Owners, times and set-id bits are not kept, and the
/// owner can read and write every file.
pub fn unpack(archive: impl Read, into: &Path) -> Result<Unpacked, Error> {
    unpack_within(archive, into, &mut |_| Ok(()))
}

/// Like [`unpack`]; `take` is asked for the disk space of each entry and of each piece of a file
/// before it is written.
pub fn unpack_within(
    archive: impl Read,
    into: &Path,
    take: &mut dyn FnMut(u64) -> io::Result<()>,
) -> Result<Unpacked, Error> {
    let mut archive = Archive::new(MultiGzDecoder::new(archive));
    let mut unpacked = Unpacked::default();
    for entry in archive.entries().map_err(Error::Archive)? {
        let mut entry = entry.map_err(Error::Archive)?;
        if entry.header().entry_type() == EntryType::XGlobalHeader {
            continue;
        }
        let Some(path) = name(&entry.path_bytes())? else {
            continue;
        };
        take(ENTRY).map_err(Error::Write)?;
        unpacked.bytes += one(&mut entry, &path, into, take)?;
        unpacked.entries += 1;
    }
    // Read to the end, or a damaged last member would not be noticed.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(Error::Archive)?;
    Ok(unpacked)
}

/// Returns an entry's path; `None` is the folder itself.
pub(crate) fn name(bytes: &[u8]) -> Result<Option<RelPath>, Error> {
    let mut rest = bytes;
    while let Some(next) = rest.strip_prefix(b"./") {
        rest = next;
    }
    let rest = rest.strip_suffix(b"/").unwrap_or(rest);
    if matches!(rest, b"" | b".") && !bytes.starts_with(b"/") {
        return Ok(None);
    }
    RelPath::new(rest).map(Some).ok_or_else(|| {
        refused(
            &String::from_utf8_lossy(bytes),
            "its name leads outside the folder",
        )
    })
}

pub(crate) fn refused(name: &str, reason: impl Into<String>) -> Error {
    Error::Refused {
        name: name.to_owned(),
        reason: reason.into(),
    }
}

fn one(
    entry: &mut Entry<'_, impl Read>,
    path: &RelPath,
    into: &Path,
    take: &mut dyn FnMut(u64) -> io::Result<()>,
) -> Result<u64, Error> {
    let shown = path.to_str_lossy().into_owned();
    make_folders(path, into, &shown)?;
    let disk = path.under(into);
    match entry.header().entry_type() {
        EntryType::Directory => {
            folder(&disk, &shown)?;
            // The owner can always write to it, since more entries may follow.
            let mode = entry.header().mode().map_err(Error::Archive)? & 0o777 | 0o700;
            fs::set_permissions(&disk, Permissions::from_mode(mode))
                .map_err(Error::io("make", &disk))?;
            Ok(0)
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            make_room(&disk, &shown)?;
            file(entry, &disk, take)
        }
        EntryType::Symlink => {
            let target = entry.link_name_bytes().unwrap_or_default();
            make_room(&disk, &shown)?;
            symlink(std::ffi::OsStr::from_bytes(&target), &disk)
                .map_err(Error::io("make", &disk))?;
            Ok(0)
        }
        EntryType::Link => {
            let target = entry.link_name_bytes().unwrap_or_default();
            let target = name(&target).ok().flatten().ok_or_else(|| {
                refused(&shown, "it is a hard link to something outside the folder")
            })?;
            make_folders(&target, into, &shown)?;
            let from = target.under(into);
            let is_file = fs::symlink_metadata(&from).is_ok_and(|metadata| metadata.is_file());
            if !is_file {
                return Err(refused(
                    &shown,
                    "it is a hard link to something that is not a file of the archive",
                ));
            }
            if from != disk {
                make_room(&disk, &shown)?;
                fs::hard_link(&from, &disk).map_err(Error::io("make", &disk))?;
            }
            Ok(0)
        }
        _ => Err(refused(&shown, "it is neither file, folder nor link")),
    }
}

/// Creates the folders above an entry, none of which may be a link.
fn make_folders(path: &RelPath, into: &Path, shown: &str) -> Result<(), Error> {
    path.ancestors()
        .try_for_each(|above| folder(&above.under(into), shown))
}

fn folder(disk: &Path, shown: &str) -> Result<(), Error> {
    match fs::symlink_metadata(disk) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(metadata) if metadata.is_symlink() => Err(refused(
            shown,
            "it would be written through a symbolic link",
        )),
        Ok(_) => Err(refused(shown, "it is below something that is not a folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir(disk).map_err(Error::io("make", disk))?;
            // Set explicitly, whatever the process's umask.
            fs::set_permissions(disk, Permissions::from_mode(0o755))
                .map_err(Error::io("make", disk))
        }
        Err(error) => Err(Error::io("read", disk)(error)),
    }
}

/// Makes room for a later entry of the same name. The earlier one is removed and not written to,
/// since it may be a link.
fn make_room(disk: &Path, shown: &str) -> Result<(), Error> {
    match fs::symlink_metadata(disk) {
        Ok(metadata) if metadata.is_dir() => {
            Err(refused(shown, "the archive has a folder of the same name"))
        }
        Ok(_) => fs::remove_file(disk).map_err(Error::io("replace", disk)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("read", disk)(error)),
    }
}

fn file(
    entry: &mut Entry<'_, impl Read>,
    disk: &Path,
    take: &mut dyn FnMut(u64) -> io::Result<()>,
) -> Result<u64, Error> {
    let mode = entry.header().mode().map_err(Error::Archive)? & 0o777 | 0o600;
    let size = entry.size();
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(disk)
        .map_err(Error::io("make", disk))?;
    let mut left = size;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = entry.read(&mut buffer).map_err(Error::Archive)?;
        if count == 0 {
            break;
        }
        left = left.saturating_sub(count as u64);
        take(count as u64).map_err(Error::Write)?;
        io::Write::write_all(&mut out, &buffer[..count]).map_err(Error::io("write", disk))?;
    }
    if left > 0 {
        return Err(Error::Archive(io::ErrorKind::UnexpectedEof.into()));
    }
    out.set_permissions(Permissions::from_mode(mode))
        .map_err(Error::io("write", disk))?;
    Ok(size)
}
