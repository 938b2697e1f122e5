//! A missing grant or a forbidden request stops a run before it starts.

use std::path::Path;

use serde_json::Value;

use crate::setup::Setup;

/// A workspace with its own plugin: a component that requests a bucket.
pub(crate) fn with_own_plugin() -> Setup {
    let setup = Setup::with_application();
    let plugins =
        std::env::var_os("SIDESTEP_PLUGINS").expect("the tests are run by `cargo xtask test`");
    let component = Path::new(&plugins).join("context-upload.wasm");
    std::fs::create_dir(setup.workspace().join("plugins")).unwrap();
    std::fs::copy(component, setup.workspace().join("plugins/mine.wasm")).unwrap();
    setup
}

pub(crate) fn pipeline(grants: &str) -> String {
    format!(
        "version: 1\nname: own\nsteps:\n  send:\n    uses: ./plugins/mine.wasm\n    with: {{ bucket: demo-contexts }}\n{grants}"
    )
}

#[test]
fn a_plugin_without_grants_is_refused_and_the_grant_to_write_is_shown() {
    let mut setup = with_own_plugin();
    setup.write("sidestep.yaml", &pipeline(""));
    let output = setup.run(&["run", "--sandbox"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("storage") && said.contains("grants:"),
        "{said}"
    );
    assert!(said.contains("sidestep.yaml"), "{said}");
}

#[test]
fn a_policy_forbids_what_a_pipeline_grants_and_is_named_with_its_line() {
    let mut setup = with_own_plugin();
    let grants = "    grants:\n      workspace: { read: [\"**\"] }\n      storage: [{ bucket: demo-contexts, prefix: contexts/, actions: [get, create] }]\n";
    setup.write("sidestep.yaml", &pipeline(grants));
    let (exit, _) = setup.events(&["run", "--sandbox"]);
    assert_eq!(exit, 0, "without a policy the grants are enough");
    let inspect = [
        "plugin",
        "inspect",
        "./plugins/mine.wasm",
        "--output",
        "json",
    ];
    let shown: Value = serde_json::from_slice(&setup.run(&inspect).stdout).unwrap();
    let digest = &shown["digest"];
    setup.write(
        "policy.yaml",
        &format!("version: 1\nmode: enforce\nrules:\n- match: {{ trust: unverified }}\n  plugins: [{{ digest: {digest} }}, {{ name: \"sidestep/*\" }}]\n  allow:\n    workspace: {{ read: [\"**\"] }}\n    storage: [{{ bucket: another, actions: [get, create] }}]\n"),
    );
    let output = setup.run(&["run", "--sandbox", "--policy", "policy.yaml"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("policy.yaml:8"), "{said}");
    assert!(!said.contains("does not list it"), "{said}");
}
