//! The layer: a tar archive whose bytes depend on nothing but its files.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use tar::{Builder, EntryType, Header};

use crate::error::ImageError;
use crate::root::{Content, Entry, Root};

/// The places of a program's references to its section headers, which are not in the image:
/// `e_shoff`, and `e_shentsize`, `e_shnum` and `e_shstrndx` (ELF-64 Object File Format, version 1.5,
/// figure 2).
const SECTIONS: [std::ops::Range<usize>; 2] = [0x28..0x30, 0x3a..0x40];
/// The size of the header of a program.
const HEADER: usize = 0x40;

/// Writes the layer, and returns the writer.
pub(crate) fn write<Out: Write>(root: &Root, out: Out) -> Result<Out, ImageError> {
    let mut archive = Builder::new(out);
    for (path, entry) in &root.entries {
        append(&mut archive, path, entry)?;
    }
    archive.into_inner().map_err(ImageError::Scratch)
}

fn append(
    archive: &mut Builder<impl Write>,
    path: &Path,
    Entry { mode, content }: &Entry,
) -> Result<(), ImageError> {
    let mut header = Header::new_gnu();
    header.set_mode(*mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    let name = path.strip_prefix("/").unwrap_or(path);
    let mut put = |size: u64, content: &mut dyn Read| {
        header.set_size(size);
        archive.append_data(&mut header, name, content)
    };
    match content {
        Content::Folder => {
            header.set_entry_type(EntryType::Directory);
            header.set_size(0);
            archive
                .append_data(&mut header, name.join(""), io::empty())
                .map_err(ImageError::Scratch)
        }
        Content::Text(text) => {
            put(text.len() as u64, &mut text.as_bytes()).map_err(ImageError::Scratch)
        }
        Content::File(source) => {
            let mut file = File::open(source).map_err(ImageError::unreadable(source))?;
            let size = file
                .metadata()
                .map_err(ImageError::unreadable(source))?
                .len();
            put(size, &mut file).map_err(ImageError::Scratch)
        }
        Content::Program(source, loaded) => {
            let mut program =
                loaded_part(source, *loaded).map_err(ImageError::unreadable(source))?;
            put(*loaded, &mut program).map_err(ImageError::Scratch)
        }
    }
}

/// Returns the part of a program that is loaded, without its symbols and debug information.
fn loaded_part(source: &Path, loaded: u64) -> io::Result<impl Read> {
    let mut file = File::open(source)?;
    let mut header = [0; HEADER];
    file.read_exact(&mut header)?;
    for field in SECTIONS {
        header[field].fill(0);
    }
    let rest = file.take(loaded.saturating_sub(HEADER as u64));
    Ok(Cursor::new(header).chain(rest))
}
