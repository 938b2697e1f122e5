//! The digest of a tree, from its archive alone.

use crate::{
    CONTEXT, DOCKERFILES, Error, Kind, RelPath,
    content::BUFFER,
    digest::Form,
    dockerfiles::Stands,
    unpack::{name, refused},
};
use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    io::{self, Read},
};
use tar::{Archive, Entry, EntryType};

/// Returns the [digest](crate::Tree::digest) of the tree in an untrusted archive, which a
/// [`pack()`](crate::pack()) of this version wrote.
///
/// Nothing is written, so that an archive with another digest need not be unpacked.
///
/// # Errors
///
/// If the archive can't be read, or has an entry that `pack()` never writes.
pub fn digest_of(archive: impl Read) -> Result<String, Error> {
    let mut archive = Archive::new(MultiGzDecoder::new(archive));
    let (context, dockerfiles) = (folder(CONTEXT), folder(DOCKERFILES));
    let mut form = Form::new();
    let mut beside = BTreeMap::new();
    for entry in archive.entries().map_err(Error::Archive)? {
        let mut entry = entry.map_err(Error::Archive)?;
        let bytes = entry.path_bytes().into_owned();
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let path = name(&bytes)?;
        let mode = entry.header().mode().map_err(Error::Archive)? & 0o7777;
        let kind = kind(&mut entry, mode, &shown)?;
        let Some(path) = path.filter(|path| path.within(&context) || path.within(&dockerfiles))
        else {
            return Err(refused(
                &shown,
                format!("it is in neither of the folders {CONTEXT} and {DOCKERFILES}"),
            ));
        };
        if let Some(path) = path.below(&context) {
            form.entry(&path, &kind, mode);
        } else if let Some((path, stands)) = path
            .below(&dockerfiles)
            .and_then(|path| dockerfile(&path, &kind))
        {
            beside.insert(path, stands);
        }
    }
    // Read to the end, or a damaged last member would not be noticed.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(Error::Archive)?;
    for (path, stands) in &beside {
        if stands.is_beyond_the_entries(path) {
            form.dockerfile(path, stands);
        }
    }
    Ok(form.digest())
}

fn folder(name: &str) -> RelPath {
    RelPath::new(name).expect("a good path")
}

/// Reads an entry to its end.
fn kind(entry: &mut Entry<'_, impl Read>, mode: u32, shown: &str) -> Result<Kind, Error> {
    match entry.header().entry_type() {
        EntryType::Directory => Ok(Kind::Folder),
        EntryType::Symlink => {
            let target = entry.link_name_bytes().unwrap_or_default();
            Ok(Kind::Link {
                target: target.into(),
            })
        }
        EntryType::Regular => {
            let (mut hash, mut size) = (Sha256::new(), 0);
            let mut buffer = vec![0; BUFFER];
            loop {
                let count = entry.read(&mut buffer).map_err(Error::Archive)?;
                if count == 0 {
                    break;
                }
                hash.update(&buffer[..count]);
                size += count as u64;
            }
            Ok(Kind::File {
                size,
                executable: mode & 0o111 != 0,
                sha256: hash.finalize().into(),
            })
        }
        _ => Err(refused(
            shown,
            "it is neither file, folder nor symbolic link",
        )),
    }
}

/// Returns the path in the context of the Dockerfile that an entry of the archive's other folder
/// stands for; `None` for the folders above it and the ignore file beside it.
fn dockerfile(path: &RelPath, kind: &Kind) -> Option<(RelPath, Stands)> {
    let stands = match kind {
        Kind::Folder => return None,
        Kind::Link { .. } => Stands::Linked,
        Kind::File { size, sha256, .. } => Stands::Copied {
            size: *size,
            sha256: *sha256,
        },
    };
    let above = path.as_bytes().strip_suffix(b"/Dockerfile")?;
    Some((RelPath::new(above)?, stands))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Tree, pack};
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
        path::Path,
    };

    fn packed(options: &Options) -> (String, Vec<u8>) {
        let tree = Tree::read(options).unwrap();
        let mut archive = Vec::new();
        pack(&tree, &mut archive).unwrap();
        (tree.digest().to_owned(), archive)
    }

    fn example() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, mode: u32| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, path.as_os_str().as_encoded_bytes()).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        write("a/b/run.sh", 0o750);
        write("a/read-only", 0o444);
        write("a.txt", 0o644);
        write("Dockerfile", 0o644);
        write("build/Dockerfile.test", 0o644);
        write("build/of-another-name", 0o644);
        write("hidden", 0o644);
        symlink("../outside", folder.path().join("a/link")).unwrap();
        symlink("a.txt", folder.path().join("Containerfile")).unwrap();
        fs::write(folder.path().join(".dockerignore"), "hidden\n").unwrap();
        folder
    }

    #[test]
    fn it_is_the_digest_of_the_tree_that_was_packed() {
        let folder = example();
        for dockerfile in ["Dockerfile", "build/of-another-name", "hidden", "missing"] {
            for keep_modes in [false, true] {
                let mut options = Options::new(folder.path());
                options.dockerfile = dockerfile.into();
                options.keep_modes = keep_modes;
                let (digest, archive) = packed(&options);
                assert_eq!(
                    digest_of(&archive[..]).unwrap(),
                    digest,
                    "{dockerfile}, {keep_modes}"
                );
            }
        }
    }

    #[test]
    fn each_change_of_an_entry_is_another_digest() {
        let folder = example();
        let (digest, archive) = packed(&Options::new(folder.path()));
        let change = |change: &dyn Fn(&mut tar::Header, &mut Vec<u8>) -> Option<()>| {
            let mut from = Archive::new(MultiGzDecoder::new(&archive[..]));
            let to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            let mut to = tar::Builder::new(to);
            let mut changed = false;
            for entry in from.entries().unwrap() {
                let mut entry = entry.unwrap();
                let (mut header, mut bytes) = (entry.header().clone(), Vec::new());
                entry.read_to_end(&mut bytes).unwrap();
                if entry.path_bytes().ends_with(b"context/a.txt") {
                    changed = true;
                    if change(&mut header, &mut bytes).is_none() {
                        continue;
                    }
                }
                header.set_size(bytes.len() as u64);
                header.set_cksum();
                to.append(&header, &bytes[..]).unwrap();
            }
            assert!(changed);
            let archive = to.into_inner().unwrap().finish().unwrap();
            digest_of(&archive[..])
        };
        assert_eq!(change(&|_, _| Some(())).unwrap(), digest);
        assert_ne!(change(&|_, _| None).unwrap(), digest);
        let longer = change(&|_, bytes| {
            bytes.push(b'!');
            Some(())
        });
        assert_ne!(longer.unwrap(), digest);
        let mode = change(&|header, _| {
            header.set_mode(0o4644);
            Some(())
        });
        assert_ne!(mode.unwrap(), digest);
        let device = change(&|header, bytes| {
            bytes.clear();
            header.set_entry_type(EntryType::Char);
            Some(())
        });
        assert!(device.is_err());
        let outside = change(&|header, _| {
            header.set_path(Path::new("elsewhere")).unwrap();
            Some(())
        });
        assert!(outside.unwrap_err().to_string().contains("elsewhere"));
        assert!(digest_of(&archive[..archive.len() - 9]).is_err());
    }
}
