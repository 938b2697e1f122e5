use std::io::Read as _;

use serde_json::json;
use sidestep_events::Failure;
use sidestep_policy::Capability as Key;

use super::{Options, Workspace, pack::Wanted, wit};
use crate::testing::step;
use crate::{Blob, Gate};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
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
    Gate::new(step, &crate::StepLimits::default())
}

fn wanted(path: &str) -> Wanted {
    Wanted {
        path: path.to_owned(),
        dockerfile: None,
        ignore: Vec::new(),
        overlays: Vec::new(),
        largest: 2,
    }
}

fn list(place: &Place, read: &[&str], patterns: &[&str]) -> Vec<String> {
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
    let place = Place::new(&[
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
    let place = Place::new(&["src/b.rs"]);
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
    let place = Place::new(&["a", "b", "c"]);
    let listing = place
        .open(false)
        .list(&gate(&["**"]), &["*".to_owned()], 2)
        .expect("it lists");
    assert!(listing.truncated);
    assert_eq!(listing.entries.len(), 2);
}

#[test]
fn patterns_that_leave_or_mean_nothing_are_refused() {
    let place = Place::new(&["a"]);
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
    let place = Place::new(&[
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
fn what_the_step_may_not_read_is_not_packed() {
    let place = Place::new(&["app/Dockerfile", "app/key"]);
    let refused = |wanted| -> Failure {
        let packed = place.open(false).pack(&gate(&["app/Dockerfile"]), wanted);
        packed.err().expect("it is refused")
    };
    let failure = refused(wanted("app"));
    assert_eq!(failure.code, "grant.scope");
    assert!(failure.message.contains("read app/key"), "{failure}");
    let mut without = wanted("app");
    without.ignore = vec!["key".to_owned()];
    let packed = place.open(false).pack(&gate(&["app/Dockerfile"]), without);
    assert_eq!(
        packed
            .map_err(|f| f.to_string())
            .expect("the rest is granted")
            .ignored,
        1
    );
    let mut wrong = wanted("app");
    wrong.ignore = vec!["[".to_owned()];
    assert_eq!(refused(wrong).code, "context.pattern");
}

#[test]
fn blobs_are_laid_over_the_context() {
    let place = Place::new(&["app/Dockerfile"]);
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
    let text = |path| std::fs::read_to_string(unpacked.path().join(path)).expect(path);
    assert_eq!(text("dist/file"), "text");
    assert_eq!(text("tree/Dockerfile"), "app/Dockerfile");
    assert_eq!(text("app/Dockerfile"), "app/Dockerfile");
}
