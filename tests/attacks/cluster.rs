//! Ways to another client's Secret of a cluster, without a grant for it.

use serde_json::Value;

use super::harness::{Arena, Bounds, Outcome};

const CLUSTER: &str = "projects/demo/locations/europe-west1/clusters/ci";
const PASSWORD: &str = "correct-horse-battery";

/// Returns a step that performs an act with this scope of the cluster.
fn step(name: &str, act: &str, scope: &str, keys: &str) -> String {
    let scope = format!("{{ cluster: {CLUSTER}, namespace: builds, {scope} }}");
    format!(
        "  {name}:\n    uses: ./attacker.wasm\n    \
         with: {{ act: {act}, texts: [\"{CLUSTER}\", {PASSWORD}], kubernetes: [{scope}] }}\n    \
         grants: {{ kubernetes: [{scope}] }}\n{keys}"
    )
}

/// The ends of the steps of a run: the attack's, and the names of the pods afterwards.
struct Ends {
    attack: Value,
    pods: Value,
}

/// Runs an attack beside a Secret that another step created, and then a step that lists the pods.
fn run(attack: &str, scope: &str) -> (Ends, Outcome) {
    let own = "resources: [secrets], actions: [create]";
    let list = "resources: [pods], actions: [list]";
    let steps = [
        step("owner", "cluster.keep-secret", own, ""),
        step("attack", attack, scope, "    needs: [owner]\n"),
        step(
            "next",
            "cluster.pods",
            list,
            "    needs: [attack]\n    if: \"always()\"\n",
        ),
    ];
    let mut arena = Arena::new();
    let pipeline = format!("version: 1\nname: arena\nsteps:\n{}", steps.concat());
    arena.setup.write("sidestep.yaml", &pipeline);
    let arguments = ["run", "--sandbox", "--output", "json"];
    let outcome = arena.run(&arguments, Bounds::default());
    let end = |step: &str| {
        let events = outcome.stdout.lines();
        let mut events =
            events.map(|event| serde_json::from_str::<Value>(event).expect("an event"));
        let end = events.find(|event| event["type"] == "step-finished" && event["step"] == step);
        end.unwrap_or_else(|| panic!("{step} did not end: {outcome}"))["data"].clone()
    };
    assert_eq!(end("owner")["outputs"]["found"], "kept", "{outcome}");
    let ends = Ends {
        attack: end("attack"),
        pods: end("next")["outputs"]["found"].clone(),
    };
    (ends, outcome)
}

#[test]
fn a_pod_does_not_get_the_secret_that_it_calls_its_own() {
    let scope = "resources: [pods], actions: [create], images: [\"example.com/shell:1\"], \
                 serviceAccounts: [kaniko]";
    let (ends, outcome) = run("cluster.pod-with-secret", scope);
    let code = &ends.attack["failure"]["code"];
    assert_eq!(code, "kubernetes.already-exists", "{outcome}");
    assert_eq!(ends.pods, "[]", "{outcome}");
}

#[test]
fn a_secret_is_shown_without_the_copy_in_its_annotations() {
    let scope = "resources: [secrets], actions: [get]";
    let (ends, outcome) = run("cluster.read-secret", scope);
    let found = ends.attack["outputs"]["found"].to_string();
    assert!(found.contains("db-password"), "{outcome}");
    outcome.assert_hides("battery");
}

#[test]
fn a_subresource_is_not_reached_by_the_name_of_its_kind() {
    let scope = "resources: [\"pods/log\"], actions: [get]";
    let (ends, outcome) = run("cluster.subresource", scope);
    let code = &ends.attack["failure"]["code"];
    assert_eq!(code, "kubernetes.invalid", "{outcome}");
}
