//! The identity of a plugin: a file of the workspace is a file, whatever the names of the file and
//! its folder.

use std::fs;

use serde_json::Value;

use super::harness::{Arena, Bounds, Outcome};

/// Lists only the built-in plugins. Its `plugins` key is on line 4.
const BUILT_IN_ALONE: &str = "version: 1
rules:
- match: { trust: unverified }
  plugins: [{ name: \"sidestep/*\" }]
  allow:
    workspace: { read: [\"**\"] }
    storage: [{}]
";

/// Returns a policy with this list of plugins, on line 4.
fn listing(plugins: &str) -> String {
    BUILT_IN_ALONE.replace("{ name: \"sidestep/*\" }", plugins)
}

/// Copies the attacking plugin to another place in the workspace.
fn copy(arena: &Arena, to: &str) {
    let workspace = arena.setup.workspace();
    let target = workspace.join(to);
    fs::create_dir_all(target.parent().expect("a folder")).expect("made");
    fs::copy(workspace.join("attacker.wasm"), target).expect("copied");
}

/// Writes a pipeline whose first step uses this plugin, and whose second one is honest.
fn uses(arena: &Arena, plugin: &str) {
    let plugin = Value::from(plugin);
    let pipeline = format!(
        "version: 1\nname: names\nsteps:\n  attack:\n    uses: {plugin}\n    with: {{ act: honest.answer }}\n  \
         next:\n    needs: [attack]\n    if: \"always()\"\n    uses: ./attacker.wasm\n    \
         with: {{ act: honest.answer }}\n"
    );
    arena.setup.write("sidestep.yaml", &pipeline);
}

/// Runs the pipeline under these policies.
fn run(arena: &mut Arena, policies: &[&str]) -> Outcome {
    let names = ["policy.yaml", "second.yaml"];
    for (name, text) in names.iter().zip(policies) {
        arena.setup.write(name, text);
    }
    let mut command = arena.setup.command(&["run", "--policy", names[0]]);
    if policies.len() > 1 {
        command.env("SIDESTEP_POLICY", names[1]);
    }
    arena.run_command(command, Bounds::default())
}

/// Returns the plugin's digest, as the command shows it.
fn digest(arena: &mut Arena, plugin: &str) -> String {
    let shown = arena.run(
        &["plugin", "inspect", plugin, "--output", "json"],
        Bounds::default(),
    );
    assert_eq!(shown.code, Some(0), "{shown}");
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!(shown["builtIn"], false, "{shown}");
    shown["digest"].as_str().expect("a digest").to_owned()
}

fn refused(outcome: &Outcome, setup: &str) {
    assert_eq!(outcome.code, Some(3), "{outcome}");
    let said = outcome.said();
    assert!(said.contains("policy.refused"), "{outcome}");
    assert!(said.contains(setup), "{outcome}");
    assert!(!said.contains("succeeded"), "a step ran: {outcome}");
}

#[test]
fn a_file_below_a_folder_named_sidestep_is_not_a_built_in_plugin() {
    let mut arena = Arena::new();
    copy(&arena, "sidestep/evil.wasm");
    uses(&arena, "sidestep/evil.wasm");
    let outcome = run(&mut arena, &[BUILT_IN_ALONE]);
    assert_eq!(outcome.code, Some(2), "{outcome}");
    let said = outcome.said();
    assert!(said.contains("uses.form"), "{outcome}");
    assert!(
        said.contains("its path: ./sidestep/evil.wasm"),
        "the path is offered: {outcome}"
    );
    // The plugin is a file, which the policy does not list.
    uses(&arena, "./sidestep/evil.wasm");
    refused(&run(&mut arena, &[BUILT_IN_ALONE]), "policy.yaml:4");
    // Listed by its digest, it may run, and so may the next step.
    let digest = digest(&mut arena, "./sidestep/evil.wasm");
    let policy = listing(&format!("{{ digest: \"{digest}\" }}"));
    let outcome = run(&mut arena, &[&policy]);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    outcome.assert_next_step_ran();
}

#[test]
fn a_plugin_that_requests_nothing_is_refused_too_and_by_each_policy() {
    let mut arena = Arena::new();
    uses(&arena, "./attacker.wasm");
    let digest = digest(&mut arena, "./attacker.wasm");
    let listed = listing(&format!("{{ digest: \"{digest}\" }}"));
    for (policies, setup) in [
        ([BUILT_IN_ALONE, BUILT_IN_ALONE], "policy.yaml:4"),
        ([listed.as_str(), BUILT_IN_ALONE], "second.yaml:4"),
        ([BUILT_IN_ALONE, listed.as_str()], "policy.yaml:4"),
    ] {
        refused(&run(&mut arena, &policies), setup);
    }
    let outcome = run(&mut arena, &[&listed, &listed]);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    outcome.assert_next_step_ran();
}

/// No spelling of a name changes whether it means a file or a built-in plugin.
#[test]
fn no_spelling_makes_a_file_another_kind_of_plugin() {
    let mut arena = Arena::new();
    let spellings = [
        "sidestep/evil.wasm",
        "sidestep/evil",
        "sidestep//context-upload",
        "sidestep/./context-upload",
        "sidestep/../sidestep/context-upload",
        "sidestep/context-upload/evil.wasm",
        "sidestep/context-upload\n",
        " sidestep/context-upload",
        "sidestep/context-upload ",
        "sidestep/context%2Dupload",
        "sidestep\\context-upload",
        "Sidestep/context-upload",
        "sidestep/Context-Upload",
        "s\u{456}destep/context-upload",
        "sidestep/context-upload\u{200b}",
        "evil.wasm",
        "context-upload",
        "acme/evil.wasm",
        "acme/context-upload",
        "file:///workspace/evil.wasm",
        "https://sidestep/context-upload",
        "oci://sidestep/context-upload",
        "OCI://ghcr.io/acme/evil:1@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "./",
        "./evil.wasm/",
        "./sidestep/context\u{1b}[2K-upload.wasm",
        "",
    ];
    for file in [
        "evil.wasm",
        "sidestep/evil.wasm",
        "sidestep/context-upload",
        "acme/evil.wasm",
    ] {
        copy(&arena, file);
    }
    let mut pipeline = "version: 1\nname: names\nsteps:\n".to_owned();
    for (index, spelling) in spellings.iter().enumerate() {
        let spelling = Value::from(*spelling);
        pipeline += &format!("  s{index}: {{ uses: {spelling}, with: {{ bucket: demo }} }}\n");
    }
    arena.setup.write("sidestep.yaml", &pipeline);
    arena.setup.write("policy.yaml", BUILT_IN_ALONE);
    let outcome = arena.run(
        &["validate", "--policy", "policy.yaml", "--output", "json"],
        Bounds::default(),
    );
    let found: Vec<Value> = serde_json::from_str(&outcome.stdout).expect("JSON");
    for (index, spelling) in spellings.iter().enumerate() {
        let line = index + 4;
        let about = found.iter().filter(|one| one["at"]["line"] == line);
        let codes: Vec<&str> = about.filter_map(|one| one["code"].as_str()).collect();
        // A name that parses as a built-in one is looked up only among the built-in plugins.
        let expected = match *spelling {
            "sidestep/evil" => "plugin.not-found",
            "oci://sidestep/context-upload" => "uses.digest",
            _ => "uses.form",
        };
        assert_eq!(codes, [expected], "{spelling:?}: {outcome}");
    }
    assert_eq!(outcome.code, Some(2), "{outcome}");
}

/// The built-in plugin with that name is used, even if a file exists at that path.
#[test]
fn a_file_does_not_take_the_place_of_a_built_in_plugin() {
    let mut arena = Arena::new();
    copy(&arena, "sidestep/context-upload");
    copy(&arena, "context-upload");
    for plugin in ["sidestep/context-upload", "context-upload"] {
        let shown = arena.run(
            &["plugin", "inspect", plugin, "--output", "json"],
            Bounds::default(),
        );
        assert_eq!(shown.code, Some(0), "{shown}");
        let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
        assert_eq!(shown["builtIn"], true, "{shown}");
        assert_eq!(shown["manifest"]["name"], "context-upload", "{shown}");
    }
}

/// `exec` and `plugin inspect` resolve a name as a step's `uses` does.
#[test]
fn the_command_line_takes_no_file_for_a_name() {
    let mut arena = Arena::new();
    copy(&arena, "sidestep/evil.wasm");
    arena.setup.write("policy.yaml", BUILT_IN_ALONE);
    for plugin in ["sidestep/evil.wasm", "evil.wasm", "attacker.wasm"] {
        let inspect: &[&str] = &["plugin", "inspect", plugin];
        let exec: &[&str] = &["exec", plugin, "--policy", "policy.yaml"];
        for command in [inspect, exec] {
            let outcome = arena.run(command, Bounds::default());
            assert_eq!(outcome.code, Some(2), "{command:?}: {outcome}");
            let offered = format!("./{plugin}");
            assert!(outcome.said().contains(&offered), "{outcome}");
        }
    }
    let exec = ["exec", "./sidestep/evil.wasm", "--policy", "policy.yaml"];
    refused(&arena.run(&exec, Bounds::default()), "policy.yaml:4");
    let exec = ["exec", "./sidestep/evil.wasm", "-i", "act=honest.answer"];
    let outcome = arena.run(&exec, Bounds::default());
    assert_eq!(outcome.code, Some(0), "{outcome}");
}

/// A digest lists bytes, so changed bytes at the same path are a different plugin.
#[test]
fn a_file_that_is_changed_after_it_was_listed_is_refused() {
    let mut arena = Arena::new();
    copy(&arena, "plugins/mine.wasm");
    uses(&arena, "./plugins/mine.wasm");
    let digest = digest(&mut arena, "./plugins/mine.wasm");
    let policy = listing(&format!("{{ digest: \"{digest}\" }}"));
    assert_eq!(run(&mut arena, &[&policy]).code, Some(0));
    let path = arena.setup.workspace().join("plugins/mine.wasm");
    let mut bytes = fs::read(&path).expect("there");
    // An empty custom section named "x": the same plugin with other bytes.
    bytes.extend([0, 2, 1, b'x']);
    fs::write(&path, bytes).expect("written");
    refused(&run(&mut arena, &[&policy]), "policy.yaml:4");
}

/// A run that matches no rule does not escape the lists of the existing rules.
#[test]
fn an_unverified_run_does_not_escape_the_list_of_verified_ones() {
    let mut arena = Arena::new();
    uses(&arena, "./attacker.wasm");
    let policy = BUILT_IN_ALONE.replace("unverified", "verified");
    refused(&run(&mut arena, &[&policy]), "policy.yaml:2");
}

/// An audit-only policy reports refusals, and lets the plugin run.
#[test]
fn an_auditing_policy_reports_a_plugin_that_it_does_not_list() {
    let mut arena = Arena::new();
    uses(&arena, "./attacker.wasm");
    let policy = BUILT_IN_ALONE.replace("rules:", "mode: audit\nrules:");
    let outcome = run(&mut arena, &[&policy]);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(outcome.said().contains("policy.audit"), "{outcome}");
    assert!(outcome.said().contains("policy.yaml:5"), "{outcome}");
    outcome.assert_next_step_ran();
}

/// A list that can never match its author's intention is an error, not a permissive ceiling.
#[test]
fn a_policy_can_not_list_a_file_by_name() {
    let mut arena = Arena::new();
    uses(&arena, "./attacker.wasm");
    for entry in [
        "{ name: \"./attacker.wasm\" }",
        "{ name: \"**\" }",
        "{ name: \"*/*\" }",
        "{ reference: \"./attacker.wasm\" }",
        "{ digest: \"sha256:*\" }",
        "{ name: \"sidestep/*\", signer: { issuer: \"https://x\", identity: \"y\" } }",
    ] {
        let outcome = run(&mut arena, &[&listing(entry)]);
        assert_eq!(outcome.code, Some(6), "{entry}: {outcome}");
        assert!(outcome.said().contains("policy.yaml:4"), "{outcome}");
    }
}
