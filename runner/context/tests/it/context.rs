//! The content of a context.

use crate::random::Random;
use sidestep_context::{Error, Kind, Options, Overlay, RelPath, Tree, ignore::Ignore};
use sidestep_test_harness::files;
use std::{
    fs,
    num::NonZero,
    os::unix::{fs::symlink, net::UnixListener},
    path::Path,
};

fn options(root: &Path) -> Options {
    Options {
        threads: NonZero::new(2).unwrap(),
        ..Options::new(root)
    }
}

fn names(tree: &Tree) -> Vec<String> {
    tree.entries()
        .iter()
        .map(|entry| entry.path.to_str_lossy().into_owned())
        .collect()
}

#[test]
fn the_ignore_file_is_applied_to_everything() {
    let folder = tempfile::tempdir().unwrap();
    files::write(
        folder.path(),
        &[
            (".dockerignore", "*\n!src\nsrc/*.tmp\n!deep/a/keep\n"),
            ("Dockerfile", "FROM scratch"),
            ("README.md", ""),
            ("src/main.rs", "fn main() {}"),
            ("src/x.tmp", ""),
            ("deep/a/keep", "k"),
            ("deep/a/gone", "g"),
            ("deep/b/gone", "g"),
        ],
    );
    let tree = Tree::read(&options(folder.path())).unwrap();
    let want = ["deep", "deep/a", "deep/a/keep", "src", "src/main.rs"];
    assert_eq!(names(&tree), want);
    let report = tree.report();
    assert_eq!((report.entries, report.files, report.ignored), (5, 2, 6));
    assert_eq!(report.largest[0].path, "src/main.rs");
}

#[test]
fn the_dockerfiles_own_ignore_file_wins() {
    let folder = tempfile::tempdir().unwrap();
    files::write(
        folder.path(),
        &[
            (".dockerignore", "a\n"),
            ("build/Dockerfile", ""),
            ("build/Dockerfile.dockerignore", "b\nbuild\n.dockerignore\n"),
            ("a", ""),
            ("b", ""),
        ],
    );
    let mut options = options(folder.path());
    assert_eq!(names(&Tree::read(&options).unwrap())[1..3], ["b", "build"]);
    options.dockerfile = "./build/Dockerfile".into();
    let tree = Tree::read(&options).unwrap();
    assert_eq!(names(&tree), ["a"]);
    assert_eq!(
        tree.ignore_file(),
        RelPath::new("build/Dockerfile.dockerignore").as_ref()
    );
}

#[test]
fn an_explanation_names_the_line() {
    let folder = tempfile::tempdir().unwrap();
    files::write(
        folder.path(),
        &[(".dockerignore", "# c\n\nlogs\n!logs/keep\n")],
    );
    let dockerfile = RelPath::new("Dockerfile").unwrap();
    let ignore = Ignore::load(folder.path(), &dockerfile).unwrap();
    let explain = |path: &str| {
        ignore
            .explain(&RelPath::new(path).unwrap())
            .unwrap()
            .to_string()
    };
    assert_eq!(explain("logs/a/b"), "left out: .dockerignore:3: logs");
    assert_eq!(
        explain("logs/keep"),
        "in the context: .dockerignore:4: !logs/keep"
    );
    assert_eq!(
        explain("src"),
        "in the context: no line of .dockerignore matches"
    );
}

#[test]
fn the_explanation_names_the_line_that_decides_in_the_walk() {
    let folder = tempfile::tempdir().unwrap();
    let content = "**/secrets\n!config\n**/d\n!x/*/**\n";
    files::write(folder.path(), &[(".dockerignore", content)]);
    let dockerfile = RelPath::new("Dockerfile").unwrap();
    let ignore = Ignore::load(folder.path(), &dockerfile).unwrap();
    let explain = |path: &str| {
        let path = RelPath::new(path).unwrap();
        ignore.explain(&path).unwrap().to_string()
    };
    // `!config` did not change the decision for the folder, so its content does not inherit it.
    assert_eq!(
        explain("config/secrets/key.pem"),
        "left out: .dockerignore:1: **/secrets"
    );
    // Docker does not enter x/d, although `!x/*/**` matches paths below it.
    assert_eq!(explain("x/d/f"), "left out: .dockerignore:3: **/d");
}

#[test]
fn a_bad_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    files::write(folder.path(), &[(".dockerignore", "a\n[b\n")]);
    let error = Tree::read(&options(folder.path())).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(".dockerignore:2: `[b` is not a valid pattern"),
        "{error}"
    );
}

#[test]
fn links_are_kept_and_never_followed_and_sockets_are_named() {
    let outside = tempfile::tempdir().unwrap();
    files::write(outside.path(), &[("secret", "s")]);
    let folder = tempfile::tempdir().unwrap();
    symlink(outside.path(), folder.path().join("out")).unwrap();
    symlink("nowhere", folder.path().join("dangling")).unwrap();
    let _socket = UnixListener::bind(folder.path().join("sock")).unwrap();
    let tree = Tree::read(&options(folder.path())).unwrap();
    assert_eq!(names(&tree), ["dangling", "out"]);
    let Kind::Link { target } = &tree.entries()[1].kind else {
        panic!("a link")
    };
    assert_eq!(&target[..], outside.path().as_os_str().as_encoded_bytes());
    let skipped = tree.report().skipped;
    assert_eq!(
        (&skipped[0].path[..], skipped[0].what),
        ("sock", "a socket")
    );
}

#[test]
fn what_the_caller_excludes_is_out() {
    let folder = tempfile::tempdir().unwrap();
    files::write(
        folder.path(),
        &[("state/runs/1", ""), ("state/x", ""), ("a", "")],
    );
    let mut options = options(folder.path());
    options.exclude = vec![
        folder.path().join("state/runs"),
        "a".into(),
        "/elsewhere".into(),
    ];
    assert_eq!(names(&Tree::read(&options).unwrap()), ["state", "state/x"]);
}

#[test]
fn the_digest_is_of_names_modes_contents_and_targets() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    files::write(root, &[("a", "1"), ("b", "2")]);
    symlink("a", root.join("l")).unwrap();
    let digest = || Tree::read(&options(root)).unwrap().digest().to_owned();
    let mut seen = vec![digest()];
    assert_eq!(seen[0], digest());
    let mut changed = |what: &str| {
        let now = digest();
        assert!(!seen.contains(&now), "{what}");
        seen.push(now);
    };
    fs::write(root.join("a"), "3").unwrap();
    changed("content");
    fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o755)).unwrap();
    changed("mode");
    fs::rename(root.join("b"), root.join("c")).unwrap();
    changed("name");
    fs::remove_file(root.join("l")).unwrap();
    symlink("c", root.join("l")).unwrap();
    changed("target");
    fs::create_dir(root.join("d")).unwrap();
    changed("an empty folder");
    // Owners' permission bits and times are not part of it.
    let before = digest();
    fs::set_permissions(root.join("c"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(root.join("c"), "2").unwrap();
    assert_eq!(before, digest());
}

#[test]
fn overlays_lie_on_top() {
    let folder = tempfile::tempdir().unwrap();
    files::write(
        folder.path(),
        &[
            ("c/dist/old", "o"),
            ("c/dist/app", "1"),
            ("c/x/y", ""),
            ("o/app", "22"),
            ("o/sub/new", "n"),
            ("file", "f"),
        ],
    );
    let mut options = options(&folder.path().join("c"));
    let lay = |source: &str, at: &str| Overlay {
        source: folder.path().join(source),
        at: at.into(),
    };
    options.overlays = vec![
        lay("o", "dist/"),
        lay("file", "x"),
        lay("file", "new/deep/file"),
    ];
    let tree = Tree::read(&options).unwrap();
    let want = [
        "dist",
        "dist/app",
        "dist/old",
        "dist/sub",
        "dist/sub/new",
        "new",
        "new/deep",
        "new/deep/file",
        "x",
    ];
    assert_eq!(names(&tree), want);
    assert_eq!(tree.entries()[1].kind.size(), 2);

    for (at, reason) in [
        ("../up", "must be inside"),
        ("dist/app/x", "`dist/app` is not a folder"),
        (".", "must be a file's path"),
    ] {
        options.overlays = vec![lay("file", at)];
        let error = Tree::read(&options).unwrap_err();
        assert!(matches!(&error, Error::Overlay { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn an_error_names_its_path() {
    let error = Tree::read(&options(Path::new("/nowhere/at/all"))).unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Tree::read(&options(file.path())).unwrap_err();
    assert!(matches!(error, Error::NotAFolder { .. }), "{error}");
}

#[test]
fn a_folder_that_is_not_looked_into_holds_nothing_that_belongs_to_the_context() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let names = ["a", "b", "ab", ".x"];
    let mut all = Vec::new();
    for one in names {
        for two in names {
            for three in ["a", "b.md", "ab"] {
                all.push(format!("{one}/{two}/{three}"));
            }
        }
    }
    files::write(
        root,
        &all.iter().map(|path| (&path[..], "")).collect::<Vec<_>>(),
    );
    let of: &[&[u8]] = &[
        b"a", b"b", b"ab", b"/", b"/", b"*", b"**", b"?", b".x", b".md", b"[a-b]", b"b|a",
    ];
    let mut random = Random(3);
    for _ in 0..600 {
        let lines: Vec<String> = (0..=random.below(4))
            .map(|_| {
                let mark = ["", "!"][random.below(2)];
                format!("{mark}{}", String::from_utf8(random.text(of, 6)).unwrap())
            })
            .collect();
        fs::write(root.join(".dockerignore"), lines.join("\n")).unwrap();
        let Ok(ignore) = Ignore::load(root, &RelPath::new("Dockerfile").unwrap()) else {
            continue;
        };
        let kept = |path: &&String| {
            let path = RelPath::new(path.as_str()).unwrap();
            ignore
                .explain(&path)
                .is_ok_and(|explanation| !explanation.ignored)
        };
        let mut want: Vec<String> = all.iter().filter(kept).cloned().collect();
        want.sort();
        let tree = Tree::read(&options(root)).unwrap();
        let is_file = |entry: &&sidestep_context::Entry| matches!(entry.kind, Kind::File { .. });
        let files = tree.entries().iter().filter(is_file);
        let mut got: Vec<String> = files
            .map(|entry| entry.path.to_str_lossy().into_owned())
            .filter(|path| path != ".dockerignore")
            .collect();
        got.sort();
        assert_eq!(got, want, "{lines:?}");
    }
}

#[test]
fn a_mode_that_is_changed_is_said_and_can_be_kept() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    files::write(
        root,
        &[
            ("key", "k"),
            ("other.key", "k"),
            ("su", "x"),
            ("drop/a", "a"),
            ("plain", "p"),
        ],
    );
    for (path, mode) in [
        ("key", 0o600),
        ("other.key", 0o600),
        ("su", 0o4755),
        ("drop", 0o1777),
        ("drop/a", 0o644),
        ("plain", 0o664),
    ] {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut options = options(root);
    let tree = Tree::read(&options).unwrap();
    let said: Vec<_> = tree
        .report()
        .modes
        .iter()
        .map(|mode| {
            (
                mode.was,
                mode.sent,
                mode.count,
                mode.example.clone(),
                mode.matters(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            (0o600, 0o644, 2, "key".to_owned(), true),
            (0o664, 0o644, 1, "plain".to_owned(), false),
            (0o1777, 0o755, 1, "drop".to_owned(), true),
            (0o4755, 0o755, 1, "su".to_owned(), true),
        ]
    );
    options.keep_modes = true;
    let kept = Tree::read(&options).unwrap();
    assert_eq!(kept.report().modes, []);
    assert_ne!(kept.digest(), tree.digest());
    let mut packed = Vec::new();
    sidestep_context::pack(&kept, &mut packed).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&packed[..]));
    let entries = archive.entries().unwrap().map(Result::unwrap);
    let modes: Vec<(String, u32)> = entries
        .map(|entry| {
            (
                entry.path().unwrap().display().to_string(),
                entry.header().mode().unwrap(),
            )
        })
        .filter(|(path, _)| path != "context/" && !path.starts_with("dockerfiles"))
        .collect();
    let want = [
        ("context/drop/", 0o1777),
        ("context/drop/a", 0o644),
        ("context/key", 0o600),
        ("context/other.key", 0o600),
        ("context/plain", 0o664),
        ("context/su", 0o4755),
    ];
    assert_eq!(modes, want.map(|(path, mode)| (path.to_owned(), mode)));
    // If every mode has its usual value, it is the same context.
    for (path, mode) in [
        ("key", 0o644),
        ("other.key", 0o644),
        ("su", 0o755),
        ("drop", 0o755),
        ("plain", 0o644),
    ] {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    assert_eq!(Tree::read(&options).unwrap().digest(), tree.digest());
}
