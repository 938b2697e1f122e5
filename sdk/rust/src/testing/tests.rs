use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::kubernetes::{self, FollowOptions, PodRef, Update};
use crate::storage::{self, ObjectRef, PutOptions};
use crate::{Check, Class, Diagnostic, Encoding, Error, Owner, Progress, Step, workspace};

/// Returns the message of a panic.
fn panic(body: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(body)).expect_err("it panics");
    match panic.downcast::<String>() {
        Ok(said) => *said,
        Err(panic) => (*panic.downcast::<&str>().expect("a message")).to_owned(),
    }
}

fn unavailable() -> Error {
    let message = "Cloud Storage answered 503";
    Error::new(
        Class::Unavailable,
        "google.unavailable",
        Owner::Cloud,
        message,
    )
}

#[test]
fn a_call_without_an_answer_names_the_line_to_add() {
    let host = Host::new();
    let said = panic(|| {
        let _ = host.step(|_| workspace::read("README.md", 10));
    });
    assert_eq!(
        said,
        "the step called workspace::read(\"README.md\", 10), and the test has no answer; add this line before it runs the step:\n    host.workspace().read(|path, max| …);"
    );
    // The host is not in the way of the next test on this thread.
    let said = panic(|| {
        let _ = workspace::read("README.md", 10);
    });
    assert!(said.contains("called outside of a host"), "{said}");
}

#[test]
fn a_write_fails_once_and_its_arguments_are_kept() {
    let host = Host::new();
    let mut failures = vec![unavailable()];
    host.storage().put(move |_, _, _, _| match failures.pop() {
        Some(error) => Err(error),
        None => Ok(storage::Written {
            generation: 7,
            outcome: crate::Creation::Created,
            size: 4,
        }),
    });
    let put = || {
        let archive = blob("text");
        host.step(|_| storage::put("b", "o", &archive, &PutOptions::new()))
    };
    assert_eq!(put().expect_err("the first one"), unavailable());
    assert_eq!(put().expect("the second one").generation, 7);
    let calls = host.calls();
    assert_eq!(calls.len(), 2);
    let start = r#"storage::put("b", "o", Content::Blob(Blob(b"text")), PutOptions {"#;
    assert!(calls[0].starts_with(start), "{}", calls[0]);
}

#[test]
fn a_list_is_answered_query_by_query() {
    let host = Host::new();
    host.storage().read(|request| {
        let name = request.object.name.clone();
        Ok(name.into_bytes())
    });
    host.project()
        .enabled(|query| Ok(query.service.starts_with("iam")));
    host.registry().resolve(|image, logins| {
        assert!(logins.is_empty());
        Err(Error::failed("image.missing", image))
    });
    let read = |name| host.step(|_| storage::read(ObjectRef::new("b", name), 10));
    assert_eq!(read("one").expect("bytes"), b"one");
    let error = host.step(|_| crate::registry::resolve("x.dev/a:1"));
    assert_eq!(error.expect_err("no image").message, "x.dev/a:1");
    assert_eq!(host.calls()[1], r#"registry::resolve("x.dev/a:1", [])"#);
}

#[test]
fn a_followed_pod_reports_and_time_passes_without_waiting() {
    let host = Host::new();
    host.kubernetes().follow_pod(|pod, _| {
        let state = json!({ "metadata": { "name": pod.name } }).to_string();
        let status = Update::Status(state.clone());
        Ok(follow([status, Update::Ended(state)], "first\nsecond\n"))
    });
    let pod = PodRef {
        cluster: "ci".to_owned(),
        namespace: "builds".to_owned(),
        name: "build".to_owned(),
        uid: None,
    };
    let options = FollowOptions {
        containers: vec![],
        patterns: vec![],
    };
    host.step(|_| {
        let followed = kubernetes::follow_pod(&pod, &options).expect("it is followed");
        let next = || followed.next(500).expect("an update");
        assert!(matches!(next(), Some(Update::Status(_))));
        for _ in 0..2 {
            assert!(matches!(next(), Some(Update::Ended(_))));
        }
        assert_eq!(followed.tail("main", 9).expect("its end"), "second\n");
        assert_eq!(followed.tail("main", 7).expect("its end"), "second\n");
        assert_eq!(followed.tail("main", 6).expect("no whole line"), "");
        assert_eq!(followed.tail("main", 99).expect("all"), "first\nsecond\n");
        let silent = follow([], "");
        assert!(silent.next(500).expect("nothing").is_none());
    });
    assert_eq!(host.elapsed(), Duration::from_millis(500));
}

#[test]
fn a_step_that_waits_for_ever_fails_its_test() {
    let host = Host::new();
    let silent = follow([], "");
    let said = panic(|| {
        host.step(|_| while silent.next(1).expect("nothing").is_none() {});
    });
    assert!(said.contains("Update::Ended"), "{said}");
}

#[test]
fn a_cancellation_ends_a_wait() {
    let host = Host::new().cancelled_after(Duration::from_secs(1));
    let silent = follow([], "");
    host.step(|step| {
        assert!(!step.is_cancelled());
        let failure = silent.next(5000).expect_err("cancelled");
        assert_eq!(failure.class, "cancelled");
        assert!(step.is_cancelled());
        silent.next(1).expect_err("still cancelled");
    });
    assert_eq!(host.elapsed(), Duration::from_secs(1));
}

#[test]
fn the_log_and_reports_are_kept() {
    let host = Host::new();
    host.step(|step| {
        let _group = step.group("build");
        crate::warn!(path = "a", size = 3; "large file");
        let progress = Progress {
            message: "sending".to_owned(),
            done: 1,
            total: None,
            unit: "files".to_owned(),
        };
        step.progress(&progress);
        step.annotate(Diagnostic::warning("lint.unused", "unused").help("remove it"));
        step.checkpoint(&[1, 2]).expect("stored");
    });
    assert_eq!(
        host.log(),
        ["group: build", "warn: large file, path=a, size=3"]
    );
    assert_eq!(host.progress()[0].done, 1);
    assert_eq!(
        host.notes(),
        [Diagnostic::warning("lint.unused", "unused").help("remove it")]
    );
    assert_eq!(host.checkpoint(), Some(json!([1, 2])));
    // A part that logs needs no host.
    crate::info!("nothing keeps it");
}

#[test]
fn a_step_knows_its_attempt_and_its_time() {
    let host = Host::new()
        .attempt(2)
        .resumed(None)
        .time_limit(Duration::from_mins(1));
    host.step(|step| {
        assert_eq!((step.attempt(), step.resumed()), (2, true));
        step.sleep(Duration::from_secs(50)).expect("in time");
        assert_eq!(step.remaining(), Some(Duration::from_secs(10)));
        assert_ne!(step.random(16), step.random(16));
        assert_eq!(step.object_name("build"), "test-2-build");
        assert_eq!(step.last_checkpoint::<u8>().expect("none"), None);
    });
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Inputs {
    path: String,
}

#[test]
fn inputs_are_read_as_the_runner_reads_them() {
    fn run(_: &Step, inputs: Inputs) -> crate::Result<String> {
        Ok(inputs.path)
    }
    let host = Host::new();
    let path = host.run(run, json!({ "path": "a" })).expect("a path");
    assert_eq!(path, "a");
    let error = host.run(run, json!({ "pth": "a" })).expect_err("unknown");
    assert_eq!(
        (error.code.as_str(), error.owner),
        ("inputs.invalid", Owner::Author)
    );
}

#[test]
fn a_check_reads_the_workspace_alone() {
    fn check(_: &Check, inputs: Inputs) -> Vec<Diagnostic> {
        if inputs.path == "remote" {
            let _ = crate::secrets::get("token");
        }
        let found = workspace::exists(&inputs.path).expect("an answer");
        let missing = || Diagnostic::error("file.missing", inputs.path.clone());
        (!found).then(missing).into_iter().collect()
    }
    let host = Host::new();
    host.workspace()
        .stat(|path| Err(Error::new(Class::NotFound, "x.y", Owner::Author, path)));
    host.secrets().get(|_| Ok(secret("token")));
    let found = host.check(check, json!({ "path": "a" }));
    assert_eq!(found, [Diagnostic::error("file.missing", "a")]);
    assert_eq!(host.check(check, json!({})), []);
    let said = panic(|| {
        host.check(check, json!({ "path": "remote" }));
    });
    assert_eq!(
        said,
        "a check can only read the workspace, but this one called secrets::get(\"token\")"
    );
    // The next step of the same host may call it.
    host.step(|_| crate::secrets::get("token"))
        .expect("a secret");
}

#[test]
fn composed_secrets_can_be_read() {
    let token = secret("abc");
    let parts = ["Bearer ".into(), (&token).into()];
    let header = Host::new().step(|_| crate::compose(&parts, Encoding::Plain));
    assert_eq!(text(&header.expect("a secret")), "Bearer abc");
}
