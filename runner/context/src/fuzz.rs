//! Parsers of untrusted bytes, as fuzz targets.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::ignore::{self, Rules};

/// A target: its name, the parser, and the initial inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The targets of this crate.
pub const TARGETS: [Target; 2] = [
    ("context-ignore", ignore_file, ignore_seeds),
    ("context-archive", archive, archive_seeds),
];

/// Reads an ignore file and decides about paths, including the file's own lines.
pub fn ignore_file(bytes: &[u8]) {
    let Ok(lines) = ignore::read(bytes) else {
        return;
    };
    let Ok(rules) = Rules::new(lines.iter().map(|line| (line.number, &line.pattern[..]))) else {
        return;
    };
    let own = lines.iter().take(8).map(|line| &line.pattern[..]);
    for path in own.chain([&b"a/b/c.d"[..], b".git", b"\xff/x"]) {
        if let Ok(decision) = rules.decide(path) {
            let rule = decision.rule.map(|rule| &rules.rules()[rule]);
            assert!(!decision.ignored || rule.is_some(), "a rule ignores");
        }
    }
}

/// Unpacks an uncompressed archive, and checks that nothing was written outside of the folder.
pub fn archive(bytes: &[u8]) {
    let outer = tempfile::tempdir().expect("a folder");
    let victim = outer.path().join("victim");
    fs::write(&victim, "whole").expect("written");
    let into = outer.path().join("into");
    fs::create_dir(&into).expect("made");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("into memory");
    let packed = gzip.finish().expect("into memory");
    let _ = crate::unpack(&packed[..], &into);
    assert_eq!(fs::read(&victim).expect("there"), b"whole");
    assert_eq!(names(outer.path()), ["into", "victim"]);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    names
}

fn ignore_seeds() -> Vec<Vec<u8>> {
    [
        "# all but\n*\n!src/**\nsrc/**/*.tmp\n",
        "a[b-d]?/\\*x\n**/node_modules\n!/keep/./it/\n[^a]\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn archive_seeds() -> Vec<Vec<u8>> {
    let entry = |kind, name: &str, link: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    };
    use tar::EntryType::{Directory, GNULongName, Link, Regular, Symlink, XHeader};
    let many = [
        entry(Directory, "d/", "", b""),
        entry(Regular, "d/f", "", b"text"),
        entry(Symlink, "l", "../victim", b""),
        entry(Link, "h", "d/f", b""),
    ];
    let long = [
        entry(XHeader, "x", "", b"20 path=../../victim\n"),
        entry(Regular, "y", "", b"z"),
        entry(GNULongName, "././@LongLink", "", b"l/victim\0"),
        entry(Regular, "w", "", b"v"),
    ];
    vec![many.concat(), long.concat()]
}

#[cfg(test)]
mod tests {
    #[test]
    fn strangers_bytes_are_read_without_harm() {
        super::TARGETS
            .into_iter()
            .for_each(sidestep_mutations::check);
    }
}
