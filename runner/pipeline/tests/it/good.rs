use serde_json::json;
use sidestep_events::GrantSource;
use sidestep_pipeline::{Plan, Template};
use sidestep_policy::Capability;

use crate::fixtures::{evaluator, lines, planned, read};

pub(crate) const FILE: &str = r#"version: 1
name: image
inputs:
  bucket: { type: string }
  image: { type: string, pattern: "^[a-z0-9.-]+/.+$" }
  tag: { type: string, default: "${{ git.commit }}" }
secrets:
  hookToken: { env: HOOK_TOKEN }
env: [LISTED]
defaults: { timeout: 20m, cluster: projects/p/locations/l/clusters/c }
steps:
  build:
    uses: sidestep/kaniko-launch
    with: { context: "${{ steps.context.outputs.uri }}", destinations: ["${{ inputs.image }}:${{ inputs.tag }}"], namespace: builds }
    retry: { attempts: 2, on: [unavailable, pod.evicted] }
  context:
    uses: sidestep/context-upload
    with: { path: ".", bucket: "${{ inputs.bucket }}", prefix: "contexts/${{ run.id }}" }
  notify:
    if: "always()"
    needs: [build]
    uses: ./plugins/notify.wasm
    with: { status: "${{ steps.build.status }}" }
    secrets: [hookToken]
    grants: { http: [{ host: hooks.example.com, methods: [POST] }] }
outputs:
  image: "${{ steps.build.outputs.image }}"
"#;

pub(crate) fn good() -> Plan {
    planned(
        FILE,
        json!({ "bucket": "b", "image": "europe-docker.pkg.dev/p/r/api" }),
    )
    .unwrap_or_else(|problems| panic!("{}", lines(&problems)))
}

#[test]
fn the_plan_orders_fills_in_and_grants() {
    let plan = good();
    let ids: Vec<&str> = plan.instances.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(ids, ["context", "build", "notify"]);
    assert_eq!(plan.inputs["tag"], "abc123");
    let build = plan.instance("build").expect("build");
    assert_eq!(build.needs, ["context"]);
    assert_eq!(build.timeout_ms, Some(1_200_000));
    let Template::Map(with) = &build.with else {
        panic!("{:?}", build.with)
    };
    assert_eq!(
        with["cluster"].literal(),
        Some(&json!("projects/p/locations/l/clusters/c"))
    );
    assert_eq!(
        with["destinations"].literal(),
        Some(&json!(["europe-docker.pkg.dev/p/r/api:abc123"]))
    );
    let registry = build.scopes.get(Capability::Registry).expect("granted");
    assert_eq!(registry.source, GrantSource::BuiltIn);
    assert_eq!(
        registry.scopes()[0].explain(),
        "resolve images of europe-docker.pkg.dev/p/r/api"
    );
    let context = plan.instance("context").expect("context");
    let storage = context.scopes.get(Capability::Storage).expect("granted");
    assert_eq!(
        storage.scopes()[0].explain(),
        "get and create objects in gs://b/contexts/r1"
    );
    let workspace = context.scopes.get(Capability::Workspace).expect("granted");
    assert_eq!(workspace.scopes()[0].explain(), "read **");
    let notify = plan.instance("notify").expect("notify");
    assert_eq!(
        notify.scopes.get(Capability::Http).map(|g| g.source),
        Some(GrantSource::Pipeline)
    );
}

#[test]
fn the_files_schema_takes_a_right_file_and_refuses_a_wrong_one() {
    let manifests = crate::fixtures::plugins()
        .into_iter()
        .map(|(name, plugin)| (name, plugin.manifest))
        .collect();
    let schema = sidestep_pipeline::schema_pipeline(&manifests);
    let step = |with: serde_json::Value| json!({ "version": 1, "name": "x", "steps": { "a": { "uses": "sidestep/context-upload", "with": with } } });
    let valid = |file| jsonschema::is_valid(&schema, &file);
    assert!(valid(step(
        json!({ "bucket": "b", "level": "${{ inputs.n }}", "keep": "1d" })
    )));
    assert!(!valid(step(json!({ "bucket": "b", "level": "x" }))));
    assert!(!valid(step(json!({ "buckt": "b" }))));
}

#[test]
fn a_plan_is_data() {
    let plan = good();
    let json = serde_json::to_string(&plan).expect("data");
    let back: Plan = serde_json::from_str(&json).expect("the same data");
    assert_eq!(back, plan);
    assert_eq!(back.digest(), plan.digest());
    let mut other = plan.clone();
    other.run = json!({ "id": "r2" });
    assert_eq!(
        other.digest(),
        plan.digest(),
        "a run's own id is no part of it"
    );
    other.instances[0].plugin_digest = "sha256:00".to_owned();
    assert_ne!(other.digest(), plan.digest());
}

#[test]
fn the_file_says_which_plugins_it_uses() {
    let pipeline = read(FILE).expect("right");
    let uses: Vec<&str> = pipeline.uses().map(|(uses, _)| uses.as_str()).collect();
    assert_eq!(
        uses,
        [
            "sidestep/context-upload",
            "sidestep/kaniko-launch",
            "./plugins/notify.wasm"
        ]
    );
    assert_eq!(pipeline.env().collect::<Vec<_>>(), ["LISTED"]);
}

#[test]
fn a_matrix_becomes_instances_that_pair() {
    let plan = planned(
        r#"version: 1
name: m
steps:
  up:
    uses: sidestep/context-upload
    matrix: { arch: [amd64, arm64], exclude: [{ arch: arm64 }], include: [{ arch: s390x }] }
    with: { bucket: "b-${{ matrix.arch }}" }
  pair:
    uses: sidestep/pod-run
    matrix: { arch: [amd64, s390x], os: [a] }
    with: { script: "true", env: { URI: "${{ steps.up.outputs.uri }}" } }
  all:
    uses: sidestep/pod-run
    with: { script: "true", env: { URIS: "${{ steps.up.map(one, one.outputs.uri)[0] }}" } }
"#,
        json!({}),
    )
    .unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    let ids: Vec<&str> = plan.instances.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "up[arch=amd64]",
            "up[arch=s390x]",
            "pair[arch=amd64,os=a]",
            "pair[arch=s390x,os=a]",
            "all"
        ]
    );
    let needs = |id: &str| plan.instance(id).expect(id).needs.clone();
    assert_eq!(needs("pair[arch=s390x,os=a]"), ["up[arch=s390x]"]);
    assert_eq!(needs("all"), ["up[arch=amd64]", "up[arch=s390x]"]);
}

#[test]
fn inputs_from_a_command_line_become_what_the_file_wants() {
    let text = "version: 1\nname: x\ninputs: { n: { type: integer }, l: { type: list }, s: { type: string, enum: [a, b] } }\nsteps: { a: { uses: sidestep/context-upload, with: { bucket: b, level: \"${{ inputs.n }}\" } } }\n";
    let plan = planned(text, json!({ "n": "3", "l": "[1]", "s": "a" })).expect("right");
    assert_eq!(
        (&plan.inputs["n"], &plan.inputs["l"]),
        (&json!(3), &json!([1]))
    );
    let problems = planned(text, json!({ "n": "x", "s": "c", "m": 1 })).expect_err("wrong");
    insta::assert_snapshot!(lines(&problems));
}

#[test]
fn what_waits_for_another_step_is_absent_and_no_default_takes_its_place() {
    let plan = good();
    let build = plan
        .instance("build")
        .expect("build")
        .known_inputs(&plan, &*evaluator())
        .expect("small");
    assert_eq!(build.get("context"), None);
    assert_eq!(build["serviceAccount"], "kaniko", "a default is known");
    let context = plan
        .instance("context")
        .expect("context")
        .known_inputs(&plan, &*evaluator())
        .expect("small");
    assert_eq!(context.get("prefix"), None, "{context}");
    assert_eq!(context["path"], ".");
    let pipeline = read(FILE).expect("right");
    let at = pipeline.input_place("build", "namespace").expect("written");
    assert_eq!((at.line, at.column), (14, 115));
    assert_eq!(pipeline.input_place("build", "serviceAccount"), None);
}

#[test]
fn a_map_of_free_keys_is_known_as_a_whole_or_not() {
    let file = |env: &str| {
        format!(
            "version: 1\nname: x\nsteps:\n  up: {{ uses: sidestep/context-upload, with: {{ bucket: b }} }}\n  go:\n    uses: sidestep/pod-run\n    with: {{ script: a, env: {{ A: x{env} }} }}\n"
        )
    };
    let known = |env: &str| {
        let plan =
            planned(&file(env), json!({})).unwrap_or_else(|found| panic!("{}", lines(&found)));
        plan.instance("go")
            .expect("go")
            .known_inputs(&plan, &*evaluator())
            .expect("small")
    };
    assert_eq!(known("")["env"], json!({ "A": "x" }));
    let waits = known(", B: \"${{ steps.up.outputs.uri }}\"");
    assert_eq!(
        waits,
        json!({ "script": "a" }),
        "a key that waits is not one that is not there"
    );
}

/// Returns the ids of the instances of one step with this matrix.
fn ids(matrix: &str) -> Vec<String> {
    let file = format!(
        "version: 1\nname: m\nsteps:\n  build:\n    uses: sidestep/context-upload\n    matrix: {matrix}\n    with: {{ bucket: b }}\n"
    );
    let plan = planned(&file, json!({})).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    plan.check_names().expect("names of their own");
    plan.instances.into_iter().map(|one| one.id).collect()
}

#[test]
fn instances_of_one_matrix_never_share_an_id() {
    assert_eq!(
        ids(r#"{ a: ["1,b=2", "1"], b: ["3", "2,b=3"] }"#),
        [
            r#"build[a="1,b=2",b="3"]"#,
            r#"build[a="1,b=2",b="2,b=3"]"#,
            r#"build[a="1",b="3"]"#,
            r#"build[a="1",b="2,b=3"]"#,
        ]
    );
    assert_eq!(ids(r#"{ n: [1, "1"] }"#), ["build[n=1]", r#"build[n="1"]"#]);
    assert_eq!(
        ids(r#"{ n: [true, "true"] }"#),
        ["build[n=true]", r#"build[n="true"]"#]
    );
}

#[test]
fn a_plan_with_two_equal_names_is_refused_as_our_bug() {
    let mut plan = good();
    plan.check_names().expect("names of their own");
    plan.instances.push(plan.instances[1].clone());
    let failure = plan.check_names().expect_err("two are equal");
    assert_eq!(failure.owner, sidestep_events::Owner::Sidestep);
    assert_eq!(
        failure.message,
        "two steps of the plan have the same id: `build` and `build`"
    );
}

#[test]
fn what_expressions_read_is_known_wherever_they_stand() {
    let pipeline = |inputs: &str, defaults: &str, step: &str, outputs: &str| {
        let file = format!(
            "version: 1\nname: p\n{inputs}{defaults}steps:\n  s:\n    \
             uses: sidestep/context-upload\n{step}{outputs}"
        );
        read(&file).unwrap_or_else(|problems| panic!("{}", lines(&problems)))
    };
    let with = "    with: { bucket: b, prefix: \"${{ git.commit }}\" }\n";
    let condition = "    with: { bucket: b }\n    if: \"git.commit == 'c'\"\n";
    let grants =
        "    with: { bucket: b }\n    grants: { storage: [{ bucket: \"${{ git.commit }}\" }] }\n";
    for reads in [
        pipeline(
            "inputs: { tag: { type: string, default: \"${{ git.commit }}\" } }\n",
            "",
            "",
            "",
        ),
        pipeline("", "defaults: { cluster: \"${{ git.commit }}\" }\n", "", ""),
        pipeline("", "", with, ""),
        pipeline("", "", condition, ""),
        pipeline("", "", grants, ""),
        pipeline("", "", "", "outputs: { commit: \"x${{ git.commit }}\" }\n"),
    ] {
        assert!(reads.reads("git", "commit"), "{reads:?}");
        assert!(!reads.reads("git", "branch"), "{reads:?}");
        assert!(!reads.reads("run", "commit"), "{reads:?}");
    }
    let whole = pipeline("", "", "", "outputs: { git: \"${{ size(git) }}\" }\n");
    assert!(whole.reads("git", "commit") && whole.reads("git", "branch"));
    let none = pipeline("", "", "", "");
    assert!(!none.reads("git", "commit"));
}

/// Shared values at the top, a merge key with a map and one with a list.
const MERGED: &str = r#"version: 1
name: merged
x-defaults: &defaults { timeout: 20m, retry: { attempts: 3 } }
x-upload: &upload
  <<: *defaults
  uses: sidestep/context-upload
  with: &with { bucket: b, prefix: all/ }
steps:
  a: { <<: *upload }
  b:
    with: { <<: *with, prefix: b/ }
    <<: [*upload, { timeout: 1m, if: "false" }]
"#;

#[test]
fn merged_values_are_planned_like_written_ones() {
    let written = r#"version: 1
name: merged
steps:
  a: { uses: sidestep/context-upload, timeout: 20m, retry: { attempts: 3 }, with: { bucket: b, prefix: all/ } }
  b: { uses: sidestep/context-upload, timeout: 20m, retry: { attempts: 3 }, with: { bucket: b, prefix: b/ }, if: "false" }
"#;
    let plan = |text| {
        let mut plan = planned(text, json!({})).unwrap_or_else(|found| panic!("{}", lines(&found)));
        plan.instances.iter_mut().for_each(|one| one.places.clear());
        plan
    };
    assert_eq!(plan(MERGED), plan(written));
}
