//! The Dockerfiles next to the context, which keep any builder from filtering it again.

use sidestep_context::{CONTEXT, DOCKERFILES, Options, RelPath, Tree, not_sent, pack, unpack};
use sidestep_test_harness::files;
use std::{fs, os::unix::fs::symlink, path::Path};
use tempfile::TempDir;

fn tree(root: &Path, dockerfile: &str) -> Tree {
    let mut options = Options::new(root);
    options.dockerfile = dockerfile.into();
    Tree::read(&options).unwrap()
}

fn unpacked(tree: &Tree) -> TempDir {
    let mut bytes = Vec::new();
    pack(tree, &mut bytes).unwrap();
    let into = tempfile::tempdir().unwrap();
    unpack(&bytes[..], into.path()).unwrap();
    into
}

/// Returns the text of a Dockerfile in an archive, after checking that its ignore file exists and
/// is empty.
fn text(archive: &TempDir, dockerfile: &str) -> Option<String> {
    let folder = archive.path().join(DOCKERFILES).join(dockerfile);
    let text = fs::read_to_string(folder.join("Dockerfile")).ok()?;
    assert_eq!(
        fs::read(folder.join("Dockerfile.dockerignore")).unwrap(),
        b""
    );
    Some(text)
}

#[test]
fn the_archive_holds_the_context_and_its_dockerfiles_apart() {
    let case = tempfile::tempdir().unwrap();
    let files = [
        (".dockerignore", "*\n!**/.cargo/\n"),
        (".cargo/config.toml", "[build]"),
        ("sub/.cargo/config.toml", "[net]"),
        ("Dockerfile", "FROM scratch"),
    ];
    files::write(case.path(), &files);
    let tree = tree(case.path(), "Dockerfile");
    let archive = unpacked(&tree);
    for entry in tree.entries() {
        let there = archive.path().join(CONTEXT).join(entry.path.as_path());
        assert!(there.symlink_metadata().is_ok(), "{:?}", entry.path);
    }
    let context = archive.path().join(CONTEXT);
    assert!(context.join(".cargo/config.toml").exists());
    assert!(!context.join("Dockerfile").exists() && !context.join(".dockerignore").exists());
    assert_eq!(
        text(&archive, "Dockerfile").as_deref(),
        Some("FROM scratch")
    );
}

#[test]
fn one_archive_serves_every_dockerfile_of_the_context() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("Dockerfile", "FROM a"),
        ("Dockerfile.dockerignore", "app\n"),
        ("docker/test.Dockerfile", "FROM b"),
        ("Dockerfile.d/Containerfile", "FROM c"),
        ("recipe", "FROM d"),
        ("other", "FROM e"),
    ];
    files::write(folder.path(), &files);
    let archive = unpacked(&tree(folder.path(), "recipe"));
    for (path, content) in &files {
        let want = !matches!(*path, "Dockerfile.dockerignore" | "other");
        assert_eq!(
            text(&archive, path).as_deref(),
            want.then_some(*content),
            "{path}"
        );
    }
}

#[test]
fn an_ignore_file_beside_a_dockerfile_of_its_folders_name_collides_with_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("x.Dockerfile", "FROM a"),
        ("x.Dockerfile.dockerignore/Dockerfile", "FROM b"),
    ];
    files::write(folder.path(), &files);
    let archive = unpacked(&tree(folder.path(), "Dockerfile"));
    for (path, content) in files {
        assert_eq!(text(&archive, path).as_deref(), Some(content), "{path}");
    }
}

#[test]
fn a_link_is_followed_while_it_stays_in_the_context() {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("root");
    let files = [
        ("build/app.df", "FROM a"),
        ("recipe", "FROM b"),
        (".dockerignore", "build\n"),
    ];
    files::write(&root, &files);
    files::write(outer.path(), &[("secret", "s")]);
    symlink("build/app.df", root.join("Dockerfile")).unwrap();
    symlink("../secret", root.join("out.Dockerfile")).unwrap();
    symlink("nothing", root.join("gone.Dockerfile")).unwrap();
    symlink(".", root.join("dockerfiles")).unwrap();
    symlink("recipe", root.join("other.Dockerfile")).unwrap();
    // Nothing refers to this one, so it adds no ignored file.
    symlink("build/app.df", root.join("ignored.Dockerfile")).unwrap();
    let archive = unpacked(&tree(&root, "Dockerfile"));
    assert_eq!(text(&archive, "Dockerfile").as_deref(), Some("FROM a"));
    assert_eq!(
        text(&archive, "other.Dockerfile").as_deref(),
        Some("FROM b")
    );
    for path in [
        "out.Dockerfile",
        "gone.Dockerfile",
        "ignored.Dockerfile",
        "dockerfiles",
    ] {
        assert_eq!(text(&archive, path), None, "{path}");
    }
    assert_eq!(
        text(&unpacked(&tree(&root, "out.Dockerfile")), "out.Dockerfile"),
        None
    );
}

#[test]
fn what_the_archive_holds_beyond_the_context_is_in_its_name() {
    let folder = tempfile::tempdir().unwrap();
    files::write(
        folder.path(),
        &[("a", "x"), ("b", "y"), ("c", "z"), (".dockerignore", "c\n")],
    );
    let name = |dockerfile| tree(folder.path(), dockerfile).archive_name();
    let mut names = vec![name("gone"), name("a"), name("b"), name("c")];
    fs::write(folder.path().join("c"), "changed").unwrap();
    names.push(name("c"));
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn a_copied_dockerfile_that_changes_before_packing_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    files::write(
        folder.path(),
        &[("Dockerfile", "FROM a"), (".dockerignore", "*\n")],
    );
    let tree = tree(folder.path(), "Dockerfile");
    fs::write(folder.path().join("Dockerfile"), "FROM b").unwrap();
    let error = pack(&tree, Vec::new()).unwrap_err();
    assert!(error.to_string().contains("its content changed"), "{error}");
}

#[test]
fn a_dockerfile_that_an_archive_lacks_has_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    files::write(
        folder.path(),
        &[
            ("Dockerfile", ""),
            ("docker/app.Dockerfile", ""),
            ("web.Dockerfile", ""),
            ("recipe", ""),
            (".dockerignore", "docker\n"),
        ],
    );
    symlink(
        "docker/app.Dockerfile",
        folder.path().join("link.Dockerfile"),
    )
    .unwrap();
    let root = sidestep_files::Folder::open(folder.path()).unwrap();
    let path = |path: &str| RelPath::new(path).unwrap();
    let why = |named: &str, asked: &str, more: &[&str]| {
        let more: Vec<String> = more.iter().map(|&line| line.to_owned()).collect();
        let why = not_sent(&root, (&path(named), &path(asked)), &more).unwrap();
        // It describes the archive correctly.
        let mut options = Options::new(folder.path());
        options.dockerfile = named.into();
        options.ignore = more;
        let mut packed = Vec::new();
        pack(&Tree::read(&options).unwrap(), &mut packed).unwrap();
        let copy = tempfile::tempdir().unwrap();
        unpack(&packed[..], copy.path()).unwrap();
        let sent = copy
            .path()
            .join(format!("dockerfiles/{asked}/Dockerfile"))
            .is_file();
        assert_eq!(
            sent,
            why.is_none() && folder.path().join(asked).exists(),
            "{asked}"
        );
        why.map(|why| why.to_string())
    };
    assert_eq!(why("Dockerfile", "web.Dockerfile", &[]), None);
    assert_eq!(why("Dockerfile", "none", &[]), None);
    assert_eq!(
        why("docker/app.Dockerfile", "docker/app.Dockerfile", &[]),
        None
    );
    let by_line = Some("`docker` in line 1 of .dockerignore excludes it");
    assert_eq!(
        why("Dockerfile", "docker/app.Dockerfile", &[]).as_deref(),
        by_line
    );
    assert_eq!(
        why("Dockerfile", "link.Dockerfile", &[]).as_deref(),
        by_line
    );
    assert_eq!(
        why("Dockerfile", "web.Dockerfile", &["web*"]).as_deref(),
        Some("the ignore pattern `web*` excludes it")
    );
    assert_eq!(
        why("Dockerfile", "recipe", &[]).as_deref(),
        Some("its name does not contain `dockerfile` or `containerfile`")
    );
    assert_eq!(why("recipe", "recipe", &[]), None);
}
