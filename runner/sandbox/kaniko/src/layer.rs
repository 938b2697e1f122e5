use crate::files::Node;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// A layer on disk, in the form for registries.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) file: PathBuf,
    /// The digest of the compressed bytes, `sha256:…`.
    pub(crate) digest: String,
    /// The digest of the tar, `sha256:…`.
    pub(crate) diff_id: String,
    pub(crate) size: u64,
    pub(crate) media_type: String,
}

/// Writes a layer of nodes. Times are zero, so that equal files give equal layers.
pub(crate) fn write(
    nodes: &BTreeMap<String, Node>,
    store: &Path,
    media_type: &str,
) -> io::Result<Layer> {
    let (file, path) = tempfile::NamedTempFile::new_in(store)?.keep()?;
    let zipped = Hashing::new(BufWriter::new(file));
    let mut tar = tar::Builder::new(Hashing::new(GzEncoder::new(zipped, Compression::fast())));
    for (name, node) in nodes {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(0);
        match node {
            Node::Folder { mode, owner } => {
                set(&mut header, *mode, *owner, 0, tar::EntryType::Directory);
                tar.append_data(&mut header, format!("{name}/"), io::empty())?;
            }
            Node::File {
                disk,
                size,
                mode,
                owner,
            } => {
                set(&mut header, *mode, *owner, *size, tar::EntryType::Regular);
                tar.append_data(&mut header, name, File::open(disk)?)?;
            }
            Node::Link { target } => {
                set(&mut header, 0o777, (0, 0), 0, tar::EntryType::Symlink);
                tar.append_link(&mut header, name, target)?;
            }
        }
    }
    let plain = tar.into_inner()?;
    let diff_id = plain.digest();
    let zipped = plain.inner.finish()?;
    let (digest, size) = (zipped.digest(), zipped.bytes);
    zipped.inner.into_inner()?.sync_data()?;
    Ok(Layer {
        file: path,
        digest,
        diff_id,
        size,
        media_type: media_type.to_owned(),
    })
}

fn set(header: &mut tar::Header, mode: u32, owner: (u64, u64), size: u64, kind: tar::EntryType) {
    header.set_mode(mode);
    header.set_uid(owner.0);
    header.set_gid(owner.1);
    header.set_size(size);
    header.set_entry_type(kind);
}

/// Returns the digest of some bytes, `sha256:…`.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    fn digest(&self) -> String {
        format!("sha256:{}", hex::encode(self.hash.clone().finalize()))
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
