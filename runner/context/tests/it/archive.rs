//! The archive: its bytes, and how other tools read them.

use proptest::prelude::*;
use sidestep_context::{CONTEXT, Error, Options, Tree, pack, unpack};
use sidestep_test_harness::{files, programs};
use std::{
    collections::BTreeMap,
    fs,
    num::NonZero,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
};

fn read(root: &Path, threads: usize) -> Tree {
    let threads = NonZero::new(threads).unwrap();
    Tree::read(&Options {
        threads,
        ..Options::new(root)
    })
    .unwrap()
}

fn packed(tree: &Tree) -> Vec<u8> {
    let mut bytes = Vec::new();
    let packed = pack(tree, &mut bytes).unwrap();
    assert_eq!(packed.bytes, bytes.len() as u64);
    bytes
}

/// Returns incompressible bytes from a seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Returns names, kinds and contents, as found on disk.
fn snapshot(root: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = path
                .strip_prefix(root)
                .unwrap()
                .as_os_str()
                .as_encoded_bytes();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let value = if metadata.is_dir() {
                todo.push(path.clone());
                "folder".to_owned()
            } else if metadata.is_symlink() {
                fs::read_link(&path).unwrap().display().to_string()
            } else {
                let executable = metadata.permissions().mode() & 0o111 != 0;
                format!("{executable} {}", fs::read(&path).unwrap().escape_ascii())
            };
            all.insert(name.escape_ascii().to_string(), value);
        }
    }
    all
}

fn tree() -> impl Strategy<Value = Vec<(String, u8, u32)>> {
    let part = prop_oneof![
        4 => "[a-c.é ]{1,3}".prop_filter("a name", |name| name != "." && name != ".."),
        1 => "[x-z]{90,250}",
    ];
    let path = proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    proptest::collection::vec((path, any::<u8>(), 0..400_000_u32), 0..12)
}

fn make(root: &Path, entries: &[(String, u8, u32)]) {
    for (path, kind, size) in entries {
        let path = root.join(path);
        // A name that exists, or whose parent is a file, is left unchanged.
        if fs::create_dir_all(path.parent().unwrap()).is_err() || path.symlink_metadata().is_ok() {
            continue;
        }
        match kind % 5 {
            0 => fs::create_dir(&path).unwrap(),
            1 => symlink("t/".repeat(1 + *size as usize % 90), &path).unwrap(),
            _ => {
                fs::write(&path, noise(u64::from(*size), *size as usize)).unwrap();
                if kind % 2 == 0 {
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn same_tree_same_bytes_and_back(entries in tree(), threads in 2..6_usize) {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), &entries);
        let one = read(folder.path(), 1);
        let many = read(folder.path(), threads);
        prop_assert_eq!(one.digest(), many.digest());
        let bytes = packed(&one);
        prop_assert!(bytes == packed(&many), "{} threads make other bytes", threads);

        let copy = tempfile::tempdir().unwrap();
        let unpacked = unpack(&bytes[..], copy.path()).unwrap();
        prop_assert_eq!(unpacked.entries, 1 + one.report().entries);
        let context = copy.path().join(CONTEXT);
        prop_assert_eq!(snapshot(folder.path()), snapshot(&context));
        // The extracted tree is the same context.
        let again = read(&context, 1);
        prop_assert_eq!(again.digest(), one.digest());
    }
}

#[test]
fn gnu_tar_makes_the_same_tree_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let long = "n".repeat(200);
    let entries = [
        ("plain".to_owned(), 3, 3_000_000),
        ("run.sh".to_owned(), 2, 10),
        ("empty".to_owned(), 3, 0),
        ("folder".to_owned(), 0, 0),
        (format!("{long}/{long}/é"), 3, 700),
        (format!("{long}/link"), 1, 89),
        (format!("{}x", "d/".repeat(49)), 3, 1),
        ("w".repeat(100), 3, 1),
        ("w".repeat(101), 3, 1),
    ];
    make(folder.path(), &entries);
    let archive = tempfile::NamedTempFile::new().unwrap();
    fs::write(archive.path(), packed(&read(folder.path(), 3))).unwrap();
    let copy = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-xzf")
        .arg(archive.path())
        .arg("-C")
        .arg(copy.path());
    let Some(output) = programs::run(&mut tar) else {
        return;
    };
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    assert_eq!(
        snapshot(folder.path()),
        snapshot(&copy.path().join(CONTEXT))
    );
}

#[test]
fn no_name_is_absolute_or_leads_up_and_a_nested_archive_adds_none() {
    let folder = tempfile::tempdir().unwrap();
    let inner = tempfile::tempdir().unwrap();
    files::write(inner.path(), &[("smuggled", "s")]);
    files::write(folder.path(), &[("..x", ""), ("a/...", ""), ("a/b", "")]);
    symlink("../../../etc/passwd", folder.path().join("a/up")).unwrap();
    let mut plain = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::MultiGzDecoder::new(&packed(&read(inner.path(), 1))[..]),
        &mut plain,
    )
    .unwrap();
    fs::write(folder.path().join("inner.tar"), plain).unwrap();
    let bytes = packed(&read(folder.path(), 2));
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(&bytes[..]));
    let mut names = Vec::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!(
            (
                header.mtime().unwrap(),
                header.uid().unwrap(),
                header.gid().unwrap()
            ),
            (318_211_200, 0, 0)
        );
        names.push(entry.path().unwrap().display().to_string());
    }
    let want = ["", "..x", "a/", "a/...", "a/b", "a/up", "inner.tar"];
    assert_eq!(names, want.map(|name| format!("context/{name}")));
}

#[test]
fn the_name_is_pinned() {
    let folder = tempfile::tempdir().unwrap();
    files::write(folder.path(), &[("a/b", "content"), ("c", "")]);
    let tree = read(folder.path(), 1);
    assert_eq!(
        tree.archive_name(),
        "ctx1-df40d63c47ba126b3a76f1f7ac7c98af10caf26664d66b5d96734018352d4b3b-p3.tar.gz",
        "a change here is a new form of the tree, and needs its own name"
    );
}

#[test]
fn a_file_of_an_archive_goes_into_a_zip_wherever_it_is_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    files::write(folder.path(), &[("from/setup.py", "pass")]);
    let archive = folder.path().join("archive.tar.gz");
    fs::write(&archive, packed(&read(&folder.path().join("from"), 1))).unwrap();
    let program = "import sys, tarfile, zipfile\n\
        tarfile.open(sys.argv[1]).extractall('.')\n\
        with zipfile.ZipFile('wheel.zip', 'w') as wheel: wheel.write('context/setup.py')\n\
        print(zipfile.ZipFile('wheel.zip').infolist()[0].date_time[0])";
    for zone in ["UTC", "XXX+12", "XXX-14"] {
        let mut python = Command::new("python3");
        python
            .current_dir(folder.path())
            .env("TZ", zone)
            .args(["-W", "ignore", "-c", program])
            .arg(&archive);
        let Some(output) = programs::run(&mut python) else {
            return;
        };
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{zone}: {errors}");
        assert_eq!(output.stdout, b"1980\n", "{zone}");
    }
}

#[test]
fn a_change_between_reading_and_packing_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    for (after, how) in [
        ("longer", "has more"),
        ("s", "has 1"),
        ("zyx", "its content changed"),
    ] {
        fs::write(&path, "abc").unwrap();
        let tree = read(folder.path(), 1);
        fs::write(&path, after).unwrap();
        let error = pack(&tree, Vec::new()).unwrap_err();
        assert!(matches!(&error, Error::Changed { path: named, .. } if named.ends_with("log")));
        assert!(error.to_string().contains(how), "{error}");
    }
    let tree = read(folder.path(), 1);
    fs::remove_file(&path).unwrap();
    symlink("/etc/passwd", &path).unwrap();
    let error = pack(&tree, Vec::new()).unwrap_err();
    assert!(error.to_string().contains("it was replaced"), "{error}");
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), noise(1, 20_000_000)).unwrap();
    let error = pack(&read(folder.path(), 2), Full).unwrap_err();
    assert!(matches!(error, Error::Write(_)), "{error}");
}
