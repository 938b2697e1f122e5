use std::fs::{self, OpenOptions};
use std::io::{BufWriter, Seek as _, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::archive::{self, Written};
use crate::digest::Hashed;
use crate::error::ImageError;
use crate::layer;
use crate::root::Root;

/// Writes the images of a program to a stream. `version` is their tag.
///
/// # Errors
/// If the program or one of its libraries cannot be read, or the stream cannot be written. The
/// stream may then contain a part of the archive.
pub fn write(program: &Path, version: &str, out: impl Write) -> Result<Written, ImageError> {
    let root = Root::of(program)?;
    // The archive names the layer by its digest before it contains the layer.
    let file = tempfile::tempfile().map_err(ImageError::Scratch)?;
    let layer = layer::write(&root, Hashed::new(BufWriter::new(file)))?;
    let (file, blob) = layer.finish();
    let mut file = file
        .into_inner()
        .map_err(|error| ImageError::Scratch(error.into_error()))?;
    file.rewind().map_err(ImageError::Scratch)?;
    archive::write(out, root.machine, version, &blob, file)
}

/// Writes the images of a program to a file. An existing file is replaced once the new one is whole;
/// a pipe or a device is written to.
///
/// # Errors
/// As [`write`].
pub fn write_file(program: &Path, version: &str, path: &Path) -> Result<Written, ImageError> {
    // A link stays: the file that it names is replaced.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|known| !known.is_file() && !known.is_dir()) {
        let out = OpenOptions::new().write(true).open(&target);
        return write(program, version, out.map_err(ImageError::Unwritable)?);
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let permissions = PermissionsExt::from_mode(0o666);
    let file = tempfile::Builder::new()
        .prefix(".sidestep-image-")
        .permissions(permissions) // less the umask's
        .tempfile_in(folder)
        .map_err(ImageError::Unwritable)?;
    let written = write(program, version, BufWriter::new(file.as_file()))?;
    file.persist(&target)
        .map_err(|error| ImageError::Unwritable(error.error))?;
    Ok(written)
}
