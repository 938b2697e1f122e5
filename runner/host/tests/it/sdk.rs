//! Guests written with the SDK, as plugin authors write them.

use std::sync::OnceLock;

use serde_json::json;
use sidestep_events::{Foreign, Owner, Severity};
use sidestep_test_harness::guests::modules;

use crate::sink::{Step, host};
use crate::workspace::TestWorkspace;

const PACKAGES: [&str; 2] = ["sidestep-guest-noop", "sidestep-guest-reader"];

/// Returns the components of [`PACKAGES`], built once, or `None` if the target is not installed.
fn guests() -> Option<&'static [Vec<u8>; 2]> {
    static GUESTS: OnceLock<Option<[Vec<u8>; 2]>> = OnceLock::new();
    GUESTS.get_or_init(build).as_ref()
}

fn build() -> Option<[Vec<u8>; 2]> {
    let modules = modules(PACKAGES)?;
    Some(modules.map(|module| {
        sidestep_componentize::componentize(&module)
            .expect("it is a plugin")
            .bytes
    }))
}

#[tokio::test]
async fn a_plugin_logs_and_answers() {
    let Some([noop, _]) = guests() else { return };
    let plugin = host().load(noop).expect("it loads");
    assert_eq!(plugin.manifest().name, "noop");
    let mut step = Step::new();
    step.inputs = json!({"message": "hello"});
    let outputs = step.run(&plugin).await.expect("it answers");
    assert_eq!(outputs, json!({"attempt": 1, "message": "hello"}));
    assert_eq!(step.kept.log(), ["hello"]);
}

#[tokio::test]
async fn a_plugin_s_panic_and_failure_are_told_apart() {
    let Some([noop, _]) = guests() else { return };
    let plugin = host().load(noop).expect("it loads");
    let mut step = Step::new();
    step.inputs = json!({"panic": "the sky fell"});
    let failure = step.run(&plugin).await.expect_err("it panics");
    assert_eq!(
        (failure.code.exact(), failure.owner),
        ("plugin.panicked", Owner::Plugin)
    );
    assert!(failure.message.contains("src/lib.rs:"), "{failure}");
    assert!(failure.message.ends_with(": the sky fell"), "{failure}");
    step.inputs = json!({"fail": "no luck"});
    let failure = step.run(&plugin).await.expect_err("it fails");
    assert_eq!(
        (failure.code.exact(), failure.message.exact()),
        ("noop.failed", "no luck")
    );
    assert_eq!(failure.help, ["leave `fail` out"]);
}

#[tokio::test]
async fn a_plugin_reads_its_file_and_checks_for_it_before() {
    let Some([_, reader]) = guests() else { return };
    let place = TestWorkspace::new();
    let plugin = host().load(reader).expect("it loads");
    let mut step = place.step(&["src/**"]);
    step.inputs = json!({"path": "src/a.json"});
    assert_eq!(
        plugin.check(step.incarnation()).await.expect("it answers"),
        []
    );
    assert_eq!(
        step.run(&plugin).await.expect("it answers"),
        json!({"lines": 1})
    );
    step.inputs = json!({"path": "src/none"});
    let found = plugin.check(step.incarnation()).await.expect("it answers");
    let [found] = &found[..] else {
        panic!("one: {found:?}");
    };
    assert_eq!(
        (found.severity, found.code.exact()),
        (Severity::Error, "reader.unreadable")
    );
    assert_eq!(found.message, "there is no `src/none` in the workspace");
    assert_eq!(found.file.as_ref().map(Foreign::exact), Some("src/none"));
}
