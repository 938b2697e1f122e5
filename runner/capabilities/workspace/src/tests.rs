use std::io::Read as _;
use std::sync::Arc;
use std::sync::mpsc::{TryRecvError, channel};

use serde_json::json;
use sidestep_gate::{Blob, Gate, StepContext};
use sidestep_gate_testing::step;
use sidestep_policy::Capability as Key;
use sidestep_policy::workspace::Link;

use super::{Options, Workspace, pack::Wanted, wit};

struct TestWorkspace {
    folder: tempfile::TempDir,
}

impl TestWorkspace {
    fn new(files: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join("root").join(file);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("made");
            std::fs::write(path, file).expect("written");
        }
        Self { folder }
    }

    fn open(&self, unverified: bool) -> Workspace {
        Workspace::open(Options {
            root: self.folder.path().join("root"),
            scratch: self.folder.path().to_owned(),
            hidden: vec![".state".into()],
            unverified,
        })
        .expect("it opens")
    }
}

fn gate(read: &[&str]) -> Gate {
    let (step, _) = step(Key::Workspace, &json!([{ "read": read }]));
    Gate::new(step, &sidestep_gate::StepLimits::default())
}

fn wanted(path: &str) -> Wanted {
    Wanted {
        path: path.to_owned(),
        dockerfile: None,
        ignore: Vec::new(),
        overlays: Vec::new(),
        keep_modes: false,
        largest: 2,
    }
}

fn list(place: &TestWorkspace, read: &[&str], patterns: &[&str]) -> Vec<String> {
    let patterns: Vec<String> = patterns.iter().map(|&p| p.to_owned()).collect();
    let listing = place
        .open(false)
        .list(&gate(read), &patterns, 100)
        .expect("it lists");
    assert!(!listing.truncated);
    listing
        .entries
        .into_iter()
        .map(|entry| entry.path)
        .collect()
}

#[test]
fn a_list_holds_what_matches_within_the_scope() {
    let place = TestWorkspace::new(&[
        "a.rs",
        "src/b.rs",
        "src/deep/c.rs",
        "src/d.txt",
        ".state/run",
        "x/e.rs",
    ]);
    assert_eq!(list(&place, &["**"], &["*.rs"]), ["a.rs"]);
    assert_eq!(
        list(&place, &["**"], &["**/*.rs"]),
        ["a.rs", "src/b.rs", "src/deep/c.rs", "x/e.rs"]
    );
    assert_eq!(
        list(&place, &["src/**"], &["**/*.rs"]),
        ["src/b.rs", "src/deep/c.rs"]
    );
    assert_eq!(
        list(&place, &["**"], &["src/*"]),
        ["src/b.rs", "src/d.txt", "src/deep"]
    );
    assert_eq!(
        list(&place, &["**"], &["src/?.rs", "x/[ef].rs"]),
        ["src/b.rs", "x/e.rs"]
    );
    assert_eq!(
        list(&place, &["**"], &[".state/**", "none/**"]),
        Vec::<String>::new()
    );
}

#[test]
fn a_list_does_not_follow_links() {
    let place = TestWorkspace::new(&["src/b.rs"]);
    std::os::unix::fs::symlink("src", place.folder.path().join("root/link")).expect("made");
    std::os::unix::fs::symlink("..", place.folder.path().join("root/src/up")).expect("made");
    assert_eq!(
        list(&place, &["**"], &["**"]),
        ["link", "src", "src/b.rs", "src/up"]
    );
    assert_eq!(list(&place, &["**"], &["link/*"]), Vec::<String>::new());
    let entry = place
        .open(false)
        .stat(&gate(&["**"]), "link")
        .expect("there");
    assert!(matches!(entry.kind, wit::Kind::Symlink));
    assert_eq!(entry.target.as_deref(), Some("src"));
}

#[test]
fn a_list_that_is_cut_says_so() {
    let place = TestWorkspace::new(&["a", "b", "c"]);
    let listing = place
        .open(false)
        .list(&gate(&["**"]), &["*".to_owned()], 2)
        .expect("it lists");
    assert!(listing.truncated);
    assert_eq!(listing.entries.len(), 2);
}

#[test]
fn patterns_that_leave_or_mean_nothing_are_refused() {
    let place = TestWorkspace::new(&["a"]);
    for (pattern, code) in [
        ("../*", "workspace.outside"),
        ("/etc/*", "workspace.outside"),
        ("a[", "workspace.pattern"),
    ] {
        let failure = place
            .open(false)
            .list(&gate(&["**"]), &[pattern.to_owned()], 2)
            .expect_err("it is refused");
        assert_eq!(failure.code, code);
    }
}

#[test]
fn a_folder_is_packed_when_its_blob_is_read() {
    let place = TestWorkspace::new(&[
        "app/Dockerfile",
        "app/main.rs",
        "app/.dockerignore",
        "app/big.txt",
        "other",
    ]);
    std::fs::write(place.folder.path().join("root/app/.dockerignore"), "*.md\n").expect("written");
    let packed = place
        .open(false)
        .pack(&gate(&["app/**"]), wanted("app"))
        .map_err(|failure| failure.to_string())
        .expect("it packs");
    assert_eq!(packed.blob.size(), None);
    assert_eq!(packed.entries, 4);
    assert_eq!(packed.largest[0].path, "Dockerfile");
    assert_eq!(packed.largest.len(), 2);
    assert!(packed.name.starts_with("ctx1-") && packed.name.ends_with(".tar.gz"));
    assert!(packed.digest.starts_with("sha256:"));
    let mut bytes = Vec::new();
    let mut reader = packed.blob.reader().expect("it is made");
    reader.read_to_end(&mut bytes).expect("it is read");
    assert_eq!(bytes[..2], [0x1f, 0x8b]);
    assert_eq!(packed.blob.size(), Some(bytes.len() as u64));
    let again = place.open(true).pack(&gate(&["app/**"]), wanted("app"));
    let again = again
        .map_err(|failure| failure.to_string())
        .expect("it packs");
    assert_eq!(again.name, format!("unverified/{}", packed.name));
}

#[test]
fn only_a_folder_that_may_be_read_whole_is_packed() {
    let place = TestWorkspace::new(&["app/Dockerfile", "app/key", "other/key"]);
    let pack = |read: &[&str], wanted| place.open(false).pack(&gate(read), wanted);
    for read in [
        &["app/Dockerfile"][..],
        &["app/*"],
        &["app/**/key"],
        &["other/**"],
    ] {
        let failure = pack(read, wanted("app")).err().expect("it is refused");
        assert_eq!(failure.code, "grant.scope", "{read:?}");
        assert!(failure.message.contains("read app/**"), "{failure}");
    }
    let failure = pack(&["app/**"], wanted(".")).err().expect("refused");
    assert!(failure.message.contains("read **"), "{failure}");
    for read in [&["app/**"][..], &["**"], &["*/**"], &["other", "app/**"]] {
        let packed = pack(read, wanted("app")).map_err(|failure| failure.to_string());
        assert_eq!(packed.expect("granted").entries, 2, "{read:?}");
    }
    let mut wrong = wanted("app");
    wrong.ignore = vec!["[".to_owned()];
    let failure = pack(&["**"], wrong).err().expect("a bad pattern");
    assert_eq!(failure.code, "context.pattern");
}

#[test]
fn pack_does_not_tell_whether_an_ungranted_path_exists() {
    let place = TestWorkspace::new(&["app/Dockerfile", "other/key"]);
    let root = place.folder.path().join("root");
    std::os::unix::fs::symlink("../other", root.join("app/there")).expect("made");
    std::os::unix::fs::symlink("../none", root.join("app/nowhere")).expect("made");
    let workspace = place.open(false);
    let said = |path: &str, ignore: &[&str], name: &str| {
        let mut wanted = wanted(path);
        wanted.ignore = ignore.iter().map(|&line| line.to_owned()).collect();
        let packed = workspace.pack(&gate(&["app/**"]), wanted);
        let said = packed.err().expect(path).to_string();
        said.replace(path, "P").replace(name, "X")
    };
    for (there, nowhere) in [
        ("other", "none"),
        ("other/key", "other/none"),
        ("app/there", "app/nowhere"),
    ] {
        let name = |path: &'static str| path.rsplit('/').next().unwrap_or(path);
        let real = |path| match name(path) {
            "there" => "other",
            "nowhere" => "none",
            name => name,
        };
        assert_eq!(
            said(there, &[], real(there)),
            said(nowhere, &[], real(nowhere))
        );
    }
    // The patterns of the packed files reveal nothing either.
    let only = |key: &str| said(".", &["*", &format!("!{key}")], "X");
    assert_eq!(only("other/key"), only("other/none"));
    // Nor does the ignore file of an ungranted Dockerfile.
    let mut wanted = wanted("app");
    wanted.dockerfile = Some("../other/key".to_owned());
    let failure = workspace.pack(&gate(&["app/**"]), wanted).err();
    assert_eq!(failure.expect("refused").code, "context.refused");
}

#[test]
fn an_ignore_file_that_leads_out_of_the_context_is_not_read() {
    let place = TestWorkspace::new(&["app/Dockerfile", "other/key"]);
    let root = place.folder.path().join("root");
    for target in ["../other/key", "/etc/passwd"] {
        let link = root.join("app/.dockerignore");
        std::os::unix::fs::symlink(target, &link).expect("made");
        let packed = place.open(false).pack(&gate(&["app/**"]), wanted("app"));
        let failure = packed.err().expect("refused");
        assert_eq!(failure.code, "context.pattern");
        assert!(failure.message.contains(".dockerignore"), "{failure}");
        std::fs::remove_file(&link).expect("removed");
    }
}

#[test]
fn files_are_read_through_links_within_the_scope_alone() {
    let place = TestWorkspace::new(&["app/file", "other/key"]);
    let root = place.folder.path().join("root");
    for (target, name) in [
        ("file", "app/link"),
        ("../other/key", "app/out-of-scope"),
        ("../other/none", "app/to-nothing"),
        ("../../../x", "app/out"),
        ("/etc/passwd", "app/absolute"),
    ] {
        std::os::unix::fs::symlink(target, root.join(name)).expect("made");
    }
    let workspace = place.open(false);
    let gate = gate(&["app/**"]);
    let read = |path: &str| workspace.read(&gate, path, 100);
    assert_eq!(read("app/link").expect("within"), b"app/file");
    for (path, code) in [
        ("app/out-of-scope", "grant.scope"),
        ("app/to-nothing", "grant.scope"),
        ("app/out", "workspace.outside"),
        ("app/absolute", "workspace.outside"),
        ("app/none", "workspace.not-found"),
        ("app", "workspace.not-a-file"),
    ] {
        assert_eq!(read(path).expect_err(path).code, code, "{path}");
    }
    let scopes = |path: &str| {
        let (step, _) = step(Key::Workspace, &json!([{ "read": ["app/**"] }]));
        workspace.text(&step.scopes, path, 100)
    };
    assert_eq!(scopes("app/link").as_deref(), Some("app/file"));
    for path in [
        "other/key",
        "app/out-of-scope",
        "../x",
        "/etc/passwd",
        "app",
        "app/none",
    ] {
        assert_eq!(scopes(path), None, "{path}");
    }
}

/// Returns the gate of a plan that followed links.
fn gate_of_links(read: &[&str], links: &[(&str, &str)]) -> Gate {
    let (step, _) = step(Key::Workspace, &json!([{ "read": read }]));
    let links = links.iter().map(|(from, to)| Link {
        from: (*from).to_owned(),
        to: (*to).to_owned(),
    });
    let scopes = step.scopes.as_ref().clone().with_links(links.collect());
    let step = StepContext {
        scopes: Arc::new(scopes),
        ..step.as_ref().clone()
    };
    Gate::new(Arc::new(step), &sidestep_gate::StepLimits::default())
}

#[test]
fn a_link_of_the_plan_is_followed_and_one_that_changed_is_refused() {
    let place = TestWorkspace::new(&["build/app.Dockerfile", "build/other", "services/api/x"]);
    let root = place.folder.path().join("root");
    let link = |target: &str, name: &str| {
        let _ = std::fs::remove_file(root.join(name));
        std::os::unix::fs::symlink(target, root.join(name)).expect("made");
    };
    let workspace = place.open(false);
    let gate = gate_of_links(
        &[
            "Dockerfile",
            "build/app.Dockerfile",
            "app/**",
            "services/api/**",
        ],
        &[
            ("Dockerfile", "build/app.Dockerfile"),
            ("app/**", "services/api/**"),
        ],
    );
    let read = |path: &str| workspace.read(&gate, path, 100);
    link("build/app.Dockerfile", "Dockerfile");
    link("services/api", "app");
    assert_eq!(
        read("Dockerfile").expect("granted"),
        b"build/app.Dockerfile"
    );
    assert_eq!(read("app/x").expect("granted"), b"services/api/x");
    assert_eq!(
        workspace
            .pack(&gate, wanted("app"))
            .map_err(|why| why.to_string())
            .expect("granted")
            .entries,
        1
    );
    link("build/other", "Dockerfile");
    link("build", "app");
    for (path, was, is) in [
        ("Dockerfile", "build/app.Dockerfile", "build/other"),
        ("app/other", "services/api/other", "build/other"),
    ] {
        let failure = read(path).expect_err("it changed");
        assert_eq!(failure.code, "workspace.link-changed");
        assert_eq!(
            failure.message.exact(),
            format!("`{path}` led to `{was}` when the run was planned, and leads to `{is}` now")
        );
    }
    let failure = workspace.pack(&gate, wanted("app")).err().expect("refused");
    assert_eq!(failure.code, "workspace.link-changed");
    // A path that is no longer a link is checked by its name.
    std::fs::remove_file(root.join("Dockerfile")).expect("removed");
    std::fs::write(root.join("Dockerfile"), "FROM scratch").expect("written");
    assert_eq!(read("Dockerfile").expect("granted"), b"FROM scratch");
}

#[test]
fn a_link_that_the_plan_does_not_have_is_refused_by_both_names() {
    let place = TestWorkspace::new(&["build/app.Dockerfile"]);
    let link = place.folder.path().join("root/Dockerfile");
    std::os::unix::fs::symlink("build/app.Dockerfile", link).expect("made");
    let failure = place
        .open(false)
        .read(&gate(&["Dockerfile"]), "Dockerfile", 100);
    let failure = failure.expect_err("refused");
    assert_eq!(failure.code, "grant.scope");
    assert_eq!(
        failure.message.exact(),
        "`Dockerfile` is a link to `build/app.Dockerfile`: the step may not read build/app.Dockerfile: that is outside what it is granted"
    );
}

/// An ungranted folder replaces a granted one and disappears again, while it is packed and listed:
/// the results only contain granted files.
#[test]
fn a_link_that_takes_a_folder_s_place_lets_nothing_out() {
    let place = TestWorkspace::new(&["app/sub/file", "other/s3cret"]);
    let root = place.folder.path().join("root");
    std::os::unix::fs::symlink("../other", root.join("app.link")).expect("made");
    let workspace = place.open(false);
    std::thread::scope(|scope| {
        // Its end, also by a panic, ends the other thread.
        let (working, ended) = channel::<()>();
        let root = &root;
        scope.spawn(move || {
            let (folder, link, aside) = (
                root.join("app/sub"),
                root.join("app.link"),
                root.join("app.aside"),
            );
            while ended.try_recv() == Err(TryRecvError::Empty) {
                for (from, to) in [
                    (&folder, &aside),
                    (&link, &folder),
                    (&folder, &link),
                    (&aside, &folder),
                ] {
                    std::fs::rename(from, to).expect("renamed");
                }
            }
        });
        for _ in 0..300 {
            let listing = workspace.list(&gate(&["app/**"]), &["**".to_owned()], 100);
            let listed = listing.map(|listing| listing.entries).unwrap_or_default();
            assert!(!listed.iter().any(|entry| entry.path.contains("s3cret")));
            let Ok(packed) = workspace.pack(&gate(&["app/**"]), wanted("app")) else {
                continue;
            };
            let packed: Vec<_> = packed.largest.iter().map(|file| &file.path).collect();
            assert!(packed.iter().all(|path| *path == "sub/file"), "{packed:?}");
        }
        drop(working);
    });
}

#[test]
fn blobs_are_laid_over_the_context() {
    let place = TestWorkspace::new(&["app/Dockerfile"]);
    let plain = place.open(false).pack(&gate(&["**"]), wanted("app"));
    let plain = plain.map_err(|f| f.to_string()).expect("it packs");
    let mut over = wanted(".");
    over.overlays = vec![
        (Blob::from_bytes("text"), "dist/file".to_owned()),
        (plain.blob.of_tree(), "tree".to_owned()),
    ];
    let packed = place.open(false).pack(&gate(&["**"]), over);
    let packed = packed.map_err(|f| f.to_string()).expect("it packs");
    let unpacked = tempfile::tempdir().expect("a folder");
    sidestep_context::unpack(packed.blob.reader().expect("made"), unpacked.path()).expect("whole");
    let context = unpacked.path().join(sidestep_context::CONTEXT);
    let text = |path| std::fs::read_to_string(context.join(path)).expect(path);
    assert_eq!(text("dist/file"), "text");
    // An overlay of a context is the unchanged archive.
    assert_eq!(text("tree/context/Dockerfile"), "app/Dockerfile");
    assert_eq!(text("app/Dockerfile"), "app/Dockerfile");
}

#[test]
fn overlays_and_archives_take_no_more_than_the_step_s_disk_space() {
    let place = TestWorkspace::new(&["app/Dockerfile"]);
    let (step, _) = step(Key::Workspace, &json!([{ "read": ["**"] }]));
    let limits = sidestep_gate::StepLimits {
        disk: 100_000,
        ..sidestep_gate::StepLimits::default()
    };
    let gate = Gate::new(step, &limits);
    // A tree that is small as an archive, and large on disk.
    let bomb = TestWorkspace::new(&[]);
    std::fs::create_dir_all(bomb.folder.path().join("root/app")).expect("made");
    let zeros = bomb.folder.path().join("root/app/zeros");
    std::fs::write(zeros, vec![0; 1 << 20]).expect("written");
    let bomb = bomb.open(false).pack(&gate, wanted("app"));
    let bomb = bomb
        .map_err(|f| f.to_string())
        .expect("it packs")
        .blob
        .of_tree();
    assert!(bomb.prepare().expect("made") < 100_000);
    for blob in [bomb, Blob::from_bytes(vec![0; 100_001])] {
        let mut over = wanted(".");
        over.overlays = vec![(blob, "over".to_owned())];
        let failure = place.open(false).pack(&gate, over).err().expect("too much");
        assert_eq!(failure.code, "limit.disk", "{failure}");
    }
    let mut over = wanted(".");
    over.overlays = vec![(Blob::from_bytes(vec![0; 90_000]), "over".to_owned())];
    let packed = place.open(false).pack(&gate, over);
    assert!(packed.is_ok(), "the space of failed calls is given back");
}
