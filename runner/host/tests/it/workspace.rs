use std::os::unix::fs::symlink;
use std::sync::Arc;

use serde_json::json;
use sidestep_capabilities::Services;
use sidestep_capabilities::workspace::{Options, Workspace};
use sidestep_events::{Class, Foreign, Owner};
use sidestep_host::{Plugin, PluginHost};
use sidestep_policy::Capability;
use tempfile::TempDir;

use crate::guest::{Guest, LOG, READ};
use crate::sink::{Step, granted, host};

/// Returns a guest that reads the file at `path` and answers with its bytes, or with the failure.
fn reader(path: &str) -> Guest {
    Guest::new(&format!(
        "(call $read (i32.const 1024) (i32.const {}) (i64.const 1000) (i32.const 512)) (i32.const 512)",
        path.len()
    ))
    .import(READ)
    .data(path)
    .requests("workspace")
}

pub(crate) struct TestWorkspace {
    host: PluginHost,
    folder: TempDir,
}

impl TestWorkspace {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("src")).expect("made");
        std::fs::create_dir_all(root.join(".state")).expect("made");
        for (path, text) in [
            ("root/src/a.json", r#"{"a":1}"#),
            ("root/key.json", r#"{"key":1}"#),
            ("root/.state/run.json", r#"{"run":1}"#),
            ("outside.json", r#"{"out":1}"#),
        ] {
            std::fs::write(folder.path().join(path), text).expect("written");
        }
        symlink("../key.json", root.join("src/key")).expect("made");
        symlink("../../outside.json", root.join("src/out")).expect("made");
        symlink("a.json", root.join("src/same")).expect("made");
        symlink("../.state", root.join("src/state")).expect("made");
        Self {
            host: host(),
            folder,
        }
    }

    pub(crate) fn step(&self, read: &[&str]) -> Step {
        let workspace = Workspace::open(Options {
            root: self.folder.path().join("root"),
            scratch: self.folder.path().to_owned(),
            hidden: vec![".state".into()],
            unverified: false,
        })
        .expect("it opens");
        let mut step = Step::new();
        let written = if read.is_empty() {
            json!([])
        } else {
            json!([{ "read": read }])
        };
        step.scopes = granted(Capability::Workspace, &written);
        step.services = Arc::new(Services::default().with(Arc::new(workspace)));
        step
    }

    fn load(&self, guest: &Guest) -> Plugin {
        self.host.load(&guest.build()).expect("it loads")
    }
}

#[tokio::test]
async fn a_file_within_the_scope_is_read_and_recorded() {
    let place = TestWorkspace::new();
    for path in ["src/a.json", "./src//a.json", "src/same"] {
        let step = place.step(&["src/**"]);
        let outputs = step.run(&place.load(&reader(path))).await.expect(path);
        assert_eq!(outputs, json!({"a": 1}));
        let [call] = &step.kept.calls()[..] else {
            panic!("one call");
        };
        assert_eq!(
            (call.capability.exact(), call.function.exact()),
            ("workspace", "read")
        );
        assert!(call.target.starts_with("read src/"), "{call:?}");
        assert!(call.allowed && call.code.is_none(), "{call:?}");
    }
}

#[tokio::test]
async fn workspace_no_permission() {
    let place = TestWorkspace::new();
    let plugin = place.load(&reader("key.json"));
    let step = place.step(&["src/**"]);
    let failure = step.run(&plugin).await.expect_err("it is refused");
    assert_eq!(
        (failure.class, failure.owner),
        (Class::Refused, Owner::Author)
    );
    assert_eq!(failure.code, "grant.scope");
    assert_eq!(
        failure.message,
        "the step may not read key.json: that is outside what it is granted"
    );
    assert_eq!(
        failure.help,
        [
            "it may read src/**",
            "if it should, widen `workspace` in the step's `grants`"
        ]
    );
    let [call] = &step.kept.calls()[..] else {
        panic!("one call");
    };
    assert!(!call.allowed);
    assert_eq!(call.code.as_ref().map(Foreign::exact), Some("grant.scope"));
}

#[tokio::test]
async fn workspace_granted_nothing_no_permission() {
    let place = TestWorkspace::new();
    let plugin = place.load(&reader("key.json"));
    let failure = place
        .step(&[])
        .run(&plugin)
        .await
        .expect_err("it is refused");
    assert_eq!(failure.code, "grant.missing");
    assert_eq!(
        failure.message,
        "the step may not read key.json: nothing is granted to it under `workspace`"
    );
}

#[tokio::test]
async fn a_request_that_met_no_grant_does_not_start() {
    let place = TestWorkspace::new();
    let guest = Guest::new(
        "(call $log (i32.const 1) (i32.const 1024) (i32.const 2) (i32.const 8) (i32.const 0))
         (call $ok (i32.const 1024) (i32.const 2))",
    )
    .import(LOG)
    .data("{}")
    .requests("workspace");
    let mut step = place.step(&[]);
    step.scopes = Arc::default();
    let failure = step
        .run(&place.load(&guest))
        .await
        .expect_err("it is refused");
    assert_eq!(failure.class, Class::Refused);
    assert_eq!(
        failure.message,
        "the plugin requests `workspace`, but the step grants nothing under that key"
    );
    assert_eq!(failure.help, ["add `workspace` to the step's `grants`"]);
    assert_eq!(step.kept.events(), []);
}

#[tokio::test]
async fn nothing_leads_out_of_the_workspace_or_the_scope() {
    let place = TestWorkspace::new();
    for (path, code) in [
        ("../outside.json", "workspace.outside"),
        ("src/../../outside.json", "workspace.outside"),
        ("/etc/passwd", "workspace.outside"),
        ("src/out", "workspace.outside"),
        ("src/state/run.json", "workspace.not-found"),
        (".state/run.json", "workspace.not-found"),
        ("none", "workspace.not-found"),
        ("src", "workspace.not-a-file"),
    ] {
        let plugin = place.load(&reader(path));
        let failure = place.step(&["**"]).run(&plugin).await.expect_err(path);
        assert_eq!(failure.code, code, "{path}: {failure}");
    }
    // The link is in the scope, and its target is not.
    let plugin = place.load(&reader("src/key"));
    let failure = place
        .step(&["src/**"])
        .run(&plugin)
        .await
        .expect_err("refused");
    assert_eq!(failure.code, "grant.scope");
    let outputs = place.step(&["**"]).run(&plugin).await.expect("granted");
    assert_eq!(outputs, json!({"key": 1}));
}

#[tokio::test]
async fn a_file_is_read_whole_or_not_at_all() {
    let place = TestWorkspace::new();
    std::fs::write(place.folder.path().join("root/src/big"), [b'x'; 1001]).expect("written");
    let failure = place
        .step(&["**"])
        .run(&place.load(&reader("src/big")))
        .await
        .expect_err("it is too large");
    assert_eq!(failure.class, Class::Exhausted);
    assert_eq!(
        failure.message,
        "`src/big` has 1001 bytes; at most 1000 are read"
    );
}

/// `check` reads a file and continues. A call to another capability's function stops it.
#[tokio::test]
async fn a_check_reads_the_workspace_alone() {
    let place = TestWorkspace::new();
    let guest = reader("src/a.json").check(
        "(call $read (i32.const 1024) (i32.const 10) (i64.const 1000) (i32.const 512))
         (if (i32.load8_u (i32.const 512)) (then unreachable))
         (i32.store (i32.const 604) (i32.const 0)) (i32.const 600)",
    );
    let step = place.step(&["src/**"]);
    let found = place
        .load(&guest)
        .check(step.incarnation())
        .await
        .expect("it answers");
    assert_eq!(found, []);
    assert_eq!(step.kept.calls().len(), 1);
}
