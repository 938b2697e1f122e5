use crate::{
    CONTEXT, Error, Kind, RelPath, Tree,
    content::{BUFFER, read_file, read_open},
    gzip::ParallelGzip,
    tar_writer,
};
use std::io::Write;

/// The size of a written archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// The number of bytes of the archive.
    pub bytes: u64,
    /// The number of bytes before compression: headers, contents and padding.
    pub uncompressed: u64,
}

/// Writes the archive of a tree, with the context in the folder [`CONTEXT`] and its Dockerfiles in
/// [`DOCKERFILES`](crate::DOCKERFILES). The bytes are the same for the same tree, on every machine
/// and for any number of threads.
///
/// Contents are read again and compared with the tree's digest: a file that changed in between is
/// an error, and the output up to there must not be used.
pub fn pack(tree: &Tree, out: impl Write) -> Result<Packed, Error> {
    let gzip = ParallelGzip::new(out, tree.threads).map_err(Error::Write)?;
    let mut archive = Counted { gzip, bytes: 0 };
    let mut buffer = vec![0; BUFFER];
    let context = RelPath::new(CONTEXT).expect("a good path");
    archive.put(&tar_writer::header(
        &context,
        &Kind::Folder,
        Kind::Folder.mode(),
    ))?;
    for entry in tree.entries() {
        archive.put(&tar_writer::header(
            &context.join(&entry.path),
            &entry.kind,
            entry.mode,
        ))?;
        if let Kind::File { size, sha256, .. } = &entry.kind {
            let source = &tree.sources[entry.source as usize];
            let hash = read_file(source, &entry.path, *size, &mut buffer, |bytes| {
                archive.put(bytes)
            })?;
            if hash != *sha256 {
                return Err(Error::Changed {
                    path: source.path_of(&entry.path),
                    how: "its content changed".into(),
                });
            }
            archive.put(&[0; tar_writer::BLOCK][..tar_writer::padding(*size)])?;
        }
    }
    for (path, kind, from) in tree.dockerfiles.entries() {
        archive.put(&tar_writer::header(&path, &kind, kind.mode()))?;
        let (Some(from), Kind::File { size, sha256, .. }) = (from, &kind) else {
            continue;
        };
        let source = &tree.sources[0];
        let (file, disk) = (source.follow(from)?, source.path_of(from));
        let hash = read_open(file, &disk, *size, &mut buffer, |bytes| archive.put(bytes))?;
        if hash != *sha256 {
            let how = "its content changed".into();
            return Err(Error::Changed { path: disk, how });
        }
        archive.put(&[0; tar_writer::BLOCK][..tar_writer::padding(*size)])?;
    }
    archive.put(&[0; 2 * tar_writer::BLOCK])?;
    let uncompressed = archive.bytes;
    let bytes = archive.gzip.finish().map_err(Error::Write)?;
    Ok(Packed {
        bytes,
        uncompressed,
    })
}

struct Counted<W> {
    gzip: ParallelGzip<W>,
    bytes: u64,
}

impl<W: Write> Counted<W> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        self.gzip.write_all(bytes).map_err(Error::Write)
    }
}
