//! Archives, which `ADD` unpacks.

use crate::files::{Files, Node};
use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    path::Path,
};

/// The magic number of gzip files.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Returns the archive that a source is or links to.
pub(super) fn archive<'f>(from: &'f Files, source: &str) -> io::Result<Option<&'f Path>> {
    let real = from.resolve(source);
    match real.and_then(|real| from.0.get(&real)) {
        Some(Node::File { disk, .. }) if is_archive(disk)? => Ok(Some(disk)),
        _ => Ok(None),
    }
}

fn is_archive(file: &Path) -> io::Result<bool> {
    let mut start = [0; 512];
    let mut file = File::open(file)?;
    let count = file.read(&mut start)?;
    // kaniko treats every compressed file as an archive.
    if start[..count].starts_with(&GZIP) {
        return Ok(true);
    }
    Ok(start[..count].get(257..262) == Some(b"ustar"))
}

pub(super) fn unpack(file: &Path, folder: &Path) -> io::Result<()> {
    let mut reader = File::open(file)?;
    let mut start = [0; 2];
    reader.read_exact(&mut start)?;
    reader.seek(SeekFrom::Start(0))?;
    let unpacked = if start == GZIP {
        whole_tar(file)?;
        sidestep_context::unpack(reader, folder)
    } else {
        // The unpacker reads gzip, so other archives are wrapped.
        let zipped = flate2::read::GzEncoder::new(reader, flate2::Compression::none());
        sidestep_context::unpack(zipped, folder)
    };
    unpacked.map(drop).map_err(io::Error::other)
}

/// Rejects a compressed file that is not a tar, in kaniko's words.
fn whole_tar(file: &Path) -> io::Result<()> {
    let mut inner = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(File::open(file)?);
    read.take(512).read_to_end(&mut inner)?;
    let why = match inner.len() {
        0 => return Ok(()),
        512 if inner.get(257..262) == Some(b"ustar") => return Ok(()),
        512 => "archive/tar: invalid tar header",
        _ => "unexpected EOF",
    };
    Err(io::Error::other(format!("unpacking local tar: {why}")))
}
