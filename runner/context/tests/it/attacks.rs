//! Archives that try to write outside their folder.

use flate2::{Compression, write::GzEncoder};
use sidestep_context::{Error, unpack};
use std::{fs, path::Path};
use tar::{Builder, EntryType, Header};

/// Adds an entry with any name, even one that the library's own writer would refuse.
fn add(
    tar: &mut Builder<GzEncoder<Vec<u8>>>,
    kind: EntryType,
    name: &str,
    link: &str,
    content: &str,
) {
    let mut header = Header::new_gnu();
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name.as_bytes());
    old.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    header.set_cksum();
    tar.append(&header, content.as_bytes()).unwrap();
}

type Item<'a> = (EntryType, &'a str, &'a str, &'a str);

fn archive(entries: &[Item<'_>]) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (kind, name, link, content) in entries {
        add(&mut tar, *kind, name, link, content);
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn attack(entries: &[Item<'_>], reason: &str) {
    let outer = tempfile::tempdir().unwrap();
    fs::write(outer.path().join("victim"), "whole").unwrap();
    let into = outer.path().join("into");
    fs::create_dir(&into).unwrap();
    let error = unpack(&archive(entries)[..], &into).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert!(error.to_string().contains(reason), "{error}");
    assert_eq!(
        fs::read_to_string(outer.path().join("victim")).unwrap(),
        "whole"
    );
    let left: Vec<_> = fs::read_dir(outer.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

const FILE: EntryType = EntryType::Regular;
const LINK: EntryType = EntryType::Symlink;
const HARD: EntryType = EntryType::Link;

#[test]
fn names_that_lead_out() {
    for name in [
        "../victim",
        "a/../../victim",
        "/tmp/x",
        "a/..",
        "..",
        "/",
        "a//b",
        "./../victim",
    ] {
        attack(
            &[(FILE, name, "", "x")],
            "its name leads outside the folder",
        );
    }
}

#[test]
fn writing_through_links() {
    let through = "it would be written through a symbolic link";
    attack(
        &[(LINK, "a", "..", ""), (FILE, "a/victim", "", "x")],
        through,
    );
    attack(
        &[(LINK, "a", "..", ""), (EntryType::Directory, "a", "", "")],
        through,
    );
    attack(&[(LINK, "a", ".", ""), (LINK, "a/b", "..", "")], through);
    attack(
        &[(LINK, "a", "..", ""), (HARD, "b", "a/victim", "")],
        through,
    );
}

#[test]
fn hard_links_out() {
    attack(
        &[(HARD, "a", "../victim", "")],
        "hard link to something outside",
    );
    attack(
        &[(HARD, "a", "/etc/passwd", "")],
        "hard link to something outside",
    );
    attack(
        &[(LINK, "l", "../victim", ""), (HARD, "a", "l", "")],
        "not a file of the archive",
    );
}

#[test]
fn devices() {
    attack(
        &[(EntryType::Char, "null", "", "")],
        "neither file, folder nor link",
    );
    attack(
        &[(EntryType::Fifo, "pipe", "", "")],
        "neither file, folder nor link",
    );
}

#[test]
fn a_link_is_replaced_and_not_written_through() {
    let outer = tempfile::tempdir().unwrap();
    fs::write(outer.path().join("victim"), "whole").unwrap();
    let into = outer.path().join("into");
    fs::create_dir(&into).unwrap();
    let bytes = archive(&[
        (LINK, "a", "../victim", ""),
        (FILE, "a", "", "x"),
        (HARD, "b", "./a", ""),
        (FILE, "./c/d", "", "y"),
    ]);
    assert_eq!(unpack(&bytes[..], &into).unwrap().entries, 4);
    assert_eq!(
        fs::read_to_string(outer.path().join("victim")).unwrap(),
        "whole"
    );
    let read = |name: &str| fs::read_to_string(into.join(name)).unwrap();
    assert_eq!(
        (read("a"), read("b"), read("c/d")),
        ("x".into(), "x".into(), "y".into())
    );
}

#[test]
fn the_size_that_pax_states_counts_so_that_nothing_hides_in_a_content() {
    // The header says 0 bytes and PAX says 1024: a reader that uses the header would parse the
    // content as two entries.
    let hidden = archive(&[(FILE, "hidden", "", "")]);
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&hidden[..]), &mut plain).unwrap();
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    add(&mut tar, EntryType::XHeader, "pax", "", "13 size=1024\n");
    add(&mut tar, FILE, "outer", "", "");
    std::io::Write::write_all(tar.get_mut(), &plain[..1024]).unwrap();
    add(&mut tar, FILE, "next", "", "n");
    let bytes = tar.into_inner().unwrap().finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    unpack(&bytes[..], folder.path()).unwrap();
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["next", "outer"]);
    assert_eq!(
        fs::metadata(folder.path().join("outer")).unwrap().len(),
        1024
    );
}

#[test]
fn damage_is_an_error() {
    let bytes = archive(&[(FILE, "a", "", &"content ".repeat(400))]);
    let broken = |bytes: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            unpack(bytes, folder.path()).unwrap_err(),
            Error::Archive(_)
        ));
    };
    broken(&bytes[..bytes.len() - 4]);
    broken(&bytes[..bytes.len() / 2]);
    broken(b"not a gzip file");
    let mut flipped = bytes.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    broken(&flipped);
    let folder = tempfile::tempdir().unwrap();
    unpack(&bytes[..], folder.path()).unwrap();
    assert!(Path::new(&folder.path().join("a")).exists());
}
