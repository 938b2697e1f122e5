//! Programs and libraries: what the loader reads of them.
//!
//! Only program headers are read. Section headers may have been stripped, as in our own images.

use std::fs::File;
use std::path::{Path, PathBuf};

use object::Endianness;
use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, EM_AARCH64, EM_X86_64};
use object::elf::{FileHeader64, ProgramHeader64};
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};
use object::read::{ReadCache, ReadRef, StringTable};

use crate::error::ImageError;

/// A processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Machine {
    X86,
    Arm,
}

impl Machine {
    /// Returns its name in images (Go's `GOARCH`).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86 => "amd64",
            Self::Arm => "arm64",
        }
    }

    /// Returns the name of Debian's folders of libraries.
    pub(crate) fn triple(self) -> &'static str {
        match self {
            Self::X86 => "x86_64-linux-gnu",
            Self::Arm => "aarch64-linux-gnu",
        }
    }
}

/// A program or a library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) machine: Machine,
    /// The loader; `None` for a library and for a static program.
    pub(crate) interpreter: Option<PathBuf>,
    /// The names of the libraries that it needs.
    pub(crate) needed: Vec<String>,
    /// The folders in which it wants its libraries to be found.
    pub(crate) folders: Vec<PathBuf>,
    /// The size of the part that is loaded, in bytes: the rest is for debuggers.
    pub(crate) loaded: u64,
}

impl Object {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, ImageError> {
        let file = File::open(path).map_err(ImageError::unreadable(path))?;
        let cache = ReadCache::new(file);
        parse(&cache, path.parent().unwrap_or(path)).map_err(|why| ImageError::NotElf {
            path: path.to_owned(),
            why,
        })
    }
}

fn parse<'data>(data: impl ReadRef<'data>, origin: &Path) -> Result<Object, String> {
    let text = |error: object::read::Error| error.to_string();
    let header = FileHeader64::<Endianness>::parse(data).map_err(text)?;
    let endian = header.endian().map_err(text)?;
    let machine = match header.e_machine.get(endian) {
        EM_X86_64 => Machine::X86,
        EM_AARCH64 => Machine::Arm,
        other => return Err(format!("its machine is {other}")),
    };
    let segments = header.program_headers(endian, data).map_err(text)?;
    let headers = header.e_phoff(endian)
        + u64::from(header.e_phentsize(endian)) * u64::from(header.e_phnum(endian));
    let ends = segments.iter().map(|segment| {
        let (start, size) = segment.file_range(endian);
        start.saturating_add(size)
    });
    let mut object = Object {
        machine,
        interpreter: None,
        needed: Vec::new(),
        folders: Vec::new(),
        loaded: ends.fold(headers, u64::max),
    };
    for segment in segments {
        if let Some(path) = segment.interpreter(endian, data).map_err(text)? {
            object.interpreter = Some(PathBuf::from(owned(path)));
        }
        if let Some(entries) = segment.dynamic(endian, data).map_err(text)? {
            let entry = |tag: i64| entries.iter().find(|entry| entry.tag(endian) == tag);
            let value = |tag| entry(tag).map(|entry| entry.val(endian));
            let strings = value(DT_STRTAB).and_then(|address| {
                let start = offset(segments, endian, address)?;
                Some((start, start.checked_add(value(DT_STRSZ)?)?))
            });
            let (start, end) = strings.ok_or("it has no names of libraries")?;
            let strings = StringTable::new(data, start, end);
            let texts = |tag: i64| -> Result<Vec<String>, String> {
                let tagged = entries.iter().take_while(|entry| entry.tag(endian) != 0);
                let tagged = tagged.filter(|entry| entry.tag(endian) == tag);
                tagged
                    .map(|entry| entry.string(endian, strings).map(owned).map_err(text))
                    .collect()
            };
            object.needed = texts(DT_NEEDED)?;
            // ld.so(8): DT_RPATH counts only without DT_RUNPATH.
            let mut paths = texts(DT_RUNPATH)?;
            if paths.is_empty() {
                paths = texts(DT_RPATH)?;
            }
            let paths = paths.iter().flat_map(|paths| paths.split(':'));
            object.folders = paths
                .filter(|path| !path.is_empty())
                .map(|path| from_origin(path, origin))
                .collect();
        }
    }
    Ok(object)
}

/// Returns the place of an address in the file.
fn offset(
    segments: &[ProgramHeader64<Endianness>],
    endian: Endianness,
    address: u64,
) -> Option<u64> {
    segments.iter().find_map(|segment| {
        let is_loaded = segment.p_type(endian) == object::elf::PT_LOAD;
        let within = address.checked_sub(segment.p_vaddr(endian))?;
        let (start, size) = segment.file_range(endian);
        (is_loaded && within < size).then(|| start + within)
    })
}

/// Replaces `$ORIGIN`, the folder of the object itself (ld.so(8)).
fn from_origin(path: &str, origin: &Path) -> PathBuf {
    let origin = origin.to_string_lossy();
    let path = path.replace("${ORIGIN}", &origin);
    PathBuf::from(path.replace("$ORIGIN", &origin))
}

fn owned(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_is_read() {
        let path = std::env::current_exe().unwrap();
        let object = Object::read(&path).unwrap();
        assert!(
            object.needed.contains(&"libc.so.6".to_owned()),
            "{object:?}"
        );
        assert!(object.interpreter.is_some());
        // Symbols and debug information are left out.
        assert!(object.loaded < std::fs::metadata(&path).unwrap().len());
    }

    #[test]
    fn other_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script");
        for content in ["", "#!/bin/sh\n", "\x7fELF", "\x7fELF\x02\x01\x01"] {
            std::fs::write(&path, content).unwrap();
            let refused = Object::read(&path).unwrap_err().to_string();
            let start = format!("{} is not a program or library", path.display());
            assert!(refused.starts_with(&start), "{refused}");
        }
    }

    #[test]
    fn a_truncated_program_is_refused() {
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let read = |bytes: &[u8]| parse(bytes, Path::new("/"));
        for length in [16, 63, 64, 65, 200, 1000] {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn the_origin_is_the_objects_folder() {
        for (path, expected) in [
            ("$ORIGIN/../lib", "/opt/app/../lib"),
            ("${ORIGIN}", "/opt/app"),
            ("/usr/lib", "/usr/lib"),
        ] {
            let folder = from_origin(path, Path::new("/opt/app"));
            assert_eq!(folder, Path::new(expected));
        }
    }
}
