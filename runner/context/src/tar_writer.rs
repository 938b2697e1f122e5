//! The archive's headers: POSIX ustar, with a PAX header before an entry whose name, link target or
//! size does not fit (IEEE Std 1003.1, `pax`).

use crate::{Kind, RelPath};

/// The size of a block of headers or contents, in bytes.
pub(crate) const BLOCK: usize = 512;
/// The maximum length of a name or link target in a ustar header, in bytes.
const NAME: usize = 100;
/// The maximum size in eleven octal digits: one byte short of 8 GiB.
const OCTAL_SIZE: u64 = 0o777_7777_7777;

/// The time of every entry, in seconds: 1980-02-01T00:00:00Z. A zip file, and so a wheel or a jar,
/// cannot store a time before 1980, and stores local time, so that the first of January would be
/// too early west of Greenwich.
pub(crate) const TIME: u64 = 318_211_200;

/// Returns the header blocks of an entry.
pub(crate) fn header(path: &RelPath, entry: &Kind, mode: u32) -> Vec<u8> {
    let mut name = path.as_bytes().to_vec();
    let (kind, link): (u8, &[u8]) = match entry {
        Kind::Folder => {
            name.push(b'/');
            (b'5', b"")
        }
        Kind::File { .. } => (b'0', b""),
        Kind::Link { target } => (b'2', target),
    };
    let size = entry.size();
    let mut records = Vec::new();
    if name.len() > NAME {
        record(&mut records, "path", &name);
    }
    if link.len() > NAME {
        record(&mut records, "linkpath", link);
    }
    if size > OCTAL_SIZE {
        record(&mut records, "size", size.to_string().as_bytes());
    }
    let mut blocks = Vec::with_capacity(BLOCK);
    if !records.is_empty() {
        blocks.extend(block(
            b"././@PaxHeader",
            b"",
            b'x',
            0o644,
            records.len() as u64,
        ));
        let padding = padding(records.len() as u64);
        blocks.extend(records);
        blocks.resize(blocks.len() + padding, 0);
    }
    blocks.extend(block(&name, link, kind, mode, size));
    blocks
}

/// Returns the number of zeros after content of this size.
pub(crate) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).expect("less than a block");
    if over == 0 { 0 } else { BLOCK - over }
}

/// Appends a PAX record, `LENGTH KEY=VALUE\n`, whose length includes itself.
fn record(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    records.extend(format!("{length} {key}=").bytes());
    records.extend(value);
    records.push(b'\n');
}

fn block(name: &[u8], link: &[u8], kind: u8, mode: u32, size: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name[..name.len().min(NAME)]);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(136, format!("{TIME:011o}").as_bytes());
    put(148, b"        ");
    put(156, &[kind]);
    put(157, &link[..link.len().min(NAME)]);
    put(257, b"ustar\x0000");
    put(329, b"0000000");
    put(337, b"0000000");
    if size > OCTAL_SIZE {
        // Base 256 as well, so that a reader that ignores the PAX header skips the same bytes: an
        // archive that can be read in two ways is an attack.
        put(124, &[0x80, 0, 0, 0]);
        put(128, &size.to_be_bytes());
    } else {
        put(124, format!("{size:011o}").as_bytes());
    }
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use sidestep_test_harness::programs::run;

    use super::*;

    #[test]
    fn a_record_counts_itself() {
        for length in [1, 80, 85, 90, 91, 92, 93, 94, 980, 985, 990, 995] {
            let mut records = Vec::new();
            record(&mut records, "path", &vec![b'a'; length]);
            let text = String::from_utf8(records).unwrap();
            let stated: usize = text.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(stated, text.len());
        }
    }

    #[test]
    fn content_fills_blocks() {
        assert_eq!([0, 1, 511, 512, 513].map(padding), [0, 511, 1, 0, 511]);
    }

    #[test]
    fn another_reader_sees_the_size_of_a_file_over_8_gib() {
        use std::{fs::File, io::Write as _, process::Command};
        let size = 9 * (1 << 30) + 1;
        let big = Kind::File {
            size,
            executable: false,
            sha256: [0; 32],
        };
        let after = Kind::File {
            size: 0,
            executable: true,
            sha256: [0; 32],
        };
        let named = |name, kind: &Kind| header(&RelPath::new(name).unwrap(), kind, kind.mode());

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big.tar");
        let mut file = File::create(&path).unwrap();
        let first = named("big", &big);
        file.write_all(&first).unwrap();
        // A hole: the content uses no disk space.
        let length = first.len() as u64 + size + padding(size) as u64;
        file.set_len(length).unwrap();
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
        file.write_all(&named("after", &after)).unwrap();
        file.write_all(&[0; 2 * BLOCK]).unwrap();

        let Some(listed) = run(Command::new("tar").arg("-tvf").arg(&path)) else {
            return;
        };
        let text = String::from_utf8(listed.stdout).unwrap();
        assert!(
            listed.status.success(),
            "{}",
            String::from_utf8_lossy(&listed.stderr)
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(
            lines[0].contains(&format!(" {size} ")) && lines[0].ends_with(" big"),
            "{text}"
        );
        assert!(
            lines[1].starts_with("-rwxr-xr-x") && lines[1].ends_with(" after"),
            "{text}"
        );
    }
}
