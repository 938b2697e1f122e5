//! The editors' schema agrees with the parser, as far as a schema can.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;
use sidestep_events::{Diagnostic, PluginRef};
use sidestep_pipeline::{Manifest, schema_pipeline};
use sidestep_policy::{locate, tree};

use crate::fixtures::{lines, planned, plugins, read};

/// Codes for errors in a file's structure. Other codes are about its meaning: names, types of
/// expressions, grants.
const SHAPE: &[&str] = &[
    "pipeline.type",
    "pipeline.unknown-key",
    "pipeline.missing",
    "pipeline.id",
    "pipeline.version",
    "pipeline.duration",
    "pipeline.number",
    "pipeline.boolean",
    "uses.form",
    "uses.digest",
    "secret.source",
    "unsupported",
    "with.unknown",
    "with.value",
    "with.missing",
    "with.code",
    "grant.wrong",
    "grant.secrets",
];

fn schema() -> Value {
    let manifests: BTreeMap<PluginRef, Arc<Manifest>> = plugins()
        .into_iter()
        .map(|(name, plugin)| (name, plugin.manifest))
        .collect();
    schema_pipeline(&manifests)
}

/// Returns the lines on which the schema reports an error.
fn wrong_lines(schema: &Value, text: &str) -> Option<Vec<u32>> {
    // Parsed as editors do (YAML 1.2). No schema can judge invalid YAML.
    let value: Value = serde_saphyr::from_str(text).ok()?;
    let root = tree::read("pipeline.yaml", text).root?;
    let validator = jsonschema::validator_for(schema).expect("a schema");
    let mut found = Vec::new();
    for error in validator.iter_errors(&value) {
        leaves(&error, &mut found);
    }
    let line = |pointer: &String| {
        let path: Vec<String> = pointer.split('/').skip(1).map(str::to_owned).collect();
        locate(&root, &path).line
    };
    Some(found.iter().map(line).collect())
}

/// Returns the place of an error, as precisely as possible.
fn leaves(error: &jsonschema::ValidationError<'_>, found: &mut Vec<String>) {
    use jsonschema::error::ValidationErrorKind as Kind;
    let at = error.instance_path().to_string();
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            found.extend(unexpected.iter().map(|key| format!("{at}/{key}")));
        }
        Kind::PropertyNames { error } => {
            let name = error.instance().as_str().unwrap_or_default().to_owned();
            found.push(format!("{at}/{name}"));
        }
        Kind::AnyOf { context } => {
            found.push(at);
            for error in context.iter().flatten() {
                leaves(error, found);
            }
        }
        _ => found.push(at),
    }
}

fn shape(problems: &[Diagnostic]) -> Vec<&Diagnostic> {
    let shape = problems.iter().filter(|p| {
        // A function is not a key.
        SHAPE.contains(&p.code.exact()) && !p.message.contains("()")
    });
    shape.collect()
}

#[test]
fn what_the_reader_refuses_for_its_shape_the_schema_refuses_on_that_line() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad");
    let schema = schema();
    let mut judged = 0;
    for entry in std::fs::read_dir(folder).expect("the fixtures") {
        let path = entry.expect("an entry").path();
        let name = path.display().to_string();
        if !name.ends_with(".yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a fixture");
        let problems = planned(&text, serde_json::json!({ "bucket": "b" })).expect_err(&name);
        let problems = shape(&problems);
        let Some(found) = wrong_lines(&schema, &text) else {
            continue;
        };
        for problem in problems {
            let line = problem.at.expect("a place").line;
            // For a missing key, one reports the step's id, and the other its value.
            assert!(
                found.iter().any(|at| at.abs_diff(line) <= 1),
                "{name}: the schema has nothing near {}; it finds {found:?}",
                lines(std::slice::from_ref(problem))
            );
            judged += 1;
        }
    }
    assert!(judged > 20, "only {judged} problems were compared");
}

/// Valid files with one mistake each, for each rule.
#[test]
fn each_rule_of_shape_is_in_both() {
    let schema = schema();
    let right =
        "version: 1\nname: x\nsteps: { a: { uses: sidestep/pod-run, with: { script: x } } }\n";
    assert_eq!(wrong_lines(&schema, right), Some(vec![]));
    let steps = |step: &str| format!("version: 1\nname: x\nsteps: {{ a: {step} }}\n");
    let top = |more: &str| format!("{right}{more}\n");
    let step = |more: &str| {
        steps(&format!(
            "{{ uses: sidestep/pod-run, with: {{ script: x }}, {more} }}"
        ))
    };
    for wrong in [
        right.replace("version: 1", "version: 2"),
        right.replace("name: x\n", ""),
        right.replace("name: x", "name: 1.10"),
        right.replace("name: x", "name: \"${{ inputs.x }}\""),
        "version: 1\nname: x\n".to_owned(),
        "version: 1\nname: x\nsteps: {}\n".to_owned(),
        "version: 1\nname: x\nsteps: [a]\n".to_owned(),
        "[]".to_owned(),
        top("stesp: {}"),
        top("maxParallel: 0"),
        top("maxParallel: \"2\""),
        top("timeout: 20"),
        top("timeout: 0s"),
        top("timeout: soon"),
        top("env: HOME"),
        top("env: [[HOME]]"),
        top("inputs: { in: { type: string } }"),
        top("inputs: { a-b: { type: string } }"),
        top("inputs: { a: { typ: string, type: string } }"),
        top("inputs: { a: {} }"),
        top("inputs: { a: { type: text } }"),
        top("inputs: { a: { type: string, enum: a } }"),
        top("secrets: { s: {} }"),
        top("secrets: { s: { env: A, file: b } }"),
        top("secrets: { s: { secretManager: projects/p } }"),
        top("defaults: { timeout: 1m, retries: 1 }"),
        top("defaults: { cluster: [a] }"),
        top("finally: [a]"),
        top("include: x"),
        steps("{ with: { script: x } }"),
        steps("{ uses: pod-run, with: { script: x } }"),
        steps("{ uses: \"oci://ghcr.io/x:1\" }"),
        steps("{ uses: sidestep/evil.wasm }"),
        steps("{ uses: sidestep//pod-run }"),
        steps("{ uses: acme/pod-run }"),
        steps("{ uses: ./plugins/ }"),
        steps("{ uses: \"https://example.com/x.wasm\" }"),
        steps("{ uses: sidestep/pod-run }"),
        steps("{ uses: sidestep/pod-run, with: { scirpt: x } }"),
        steps("{ uses: sidestep/pod-run, with: { script: \"${{ inputs.x }}\" } }"),
        steps("{ uses: sidestep/pod-run, with: x }"),
        steps("{ uses: sidestep/context-upload, with: { bucket: b, level: 12 } }"),
        steps("{ uses: sidestep/context-upload, with: { bucket: b, overlay: [{ form: x }] } }"),
        step("if: \"${{ true }}\""),
        step("if: [a]"),
        step("needs: b"),
        step("failFast: \"yes\""),
        step("maxParallel: -1"),
        step("retry: {}"),
        step("retry: { attempts: 0 }"),
        step("retry: { attempts: 2, grow: {} }"),
        step("retry: { attempts: 2, on: unavailable }"),
        step("matrix: { arch: a }"),
        step("matrix: { arch: [a, a] }"),
        step("matrix: { arch: [[a]] }"),
        step("matrix: { a-b: [a] }"),
        step("matrix: { arch: [\"${{ inputs.x }}\"] }"),
        step("matrix: { arch: [a], exclude: { arch: a } }"),
        step("matrix: {}"),
        step("approval: true"),
        step("secrets: x"),
        steps("{ uses: ./plugins/fetch.wasm, with: { host: h }, grants: { htp: [] } }"),
        steps("{ uses: ./plugins/fetch.wasm, with: { host: h }, grants: { http: [{}] } }"),
        steps(
            "{ uses: ./plugins/fetch.wasm, with: { host: h }, grants: { http: [{ hosts: h }] } }",
        ),
        steps(
            "{ uses: ./plugins/fetch.wasm, with: { host: h }, grants: { http: [{ host: h, methods: [get] }] } }",
        ),
        steps("{ uses: ./plugins/fetch.wasm, with: { host: h }, grants: { secrets: [x] } }"),
    ] {
        let refused = planned(&wrong, serde_json::json!({}));
        assert!(refused.is_err(), "the reader takes {wrong}");
        let found = wrong_lines(&schema, &wrong).expect(&wrong);
        assert!(!found.is_empty(), "the schema takes {wrong}");
    }
}

/// Policies: valid ones pass, and the schema refuses each mistake that the parser refuses.
#[test]
fn a_policy_is_judged_alike() {
    let schema = sidestep_policy::schema_policy();
    let both = |text: &str| {
        let read = sidestep_policy::Policy::parse("policy.yaml", text).is_ok();
        let value: Value = serde_saphyr::from_str(text).expect(text);
        (read, jsonschema::is_valid(&schema, &value))
    };
    let right = "version: 1\nrules:\n- match: { repository: github.com/acme/*, ref: [refs/heads/main], trust: [verified, fork] }\n  plugins: [{ name: \"sidestep/*\" }, { digest: \"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\" }, { reference: \"oci://ghcr.io/acme/*\" }, { signer: { issuer: \"https://token.actions.githubusercontent.com\", identity: \"https://github.com/acme/**\" } }]\n  allow:\n    workspace: { read: [\"**\"] }\n    project: [{}]\n    kubernetes: [{ cluster: \"**\", namespace: builds, limits: { memory: 16Gi, cpu: 4 } }]\n    artifacts: [dist]\n  secrets: none\n  cache: read\n";
    assert_eq!(both(right), (true, true));
    assert_eq!(both("version: 1\nmode: audit\nrules: []\n"), (true, true));
    let rule = |more: &str| format!("version: 1\nrules: [{{ {more} }}]\n");
    for wrong in [
        "version: 2\nrules: []\n".to_owned(),
        "rules: []\n".to_owned(),
        "version: 1\n".to_owned(),
        "version: 1\nrules: {}\n".to_owned(),
        "version: 1\nmode: report\nrules: []\n".to_owned(),
        "version: 1\nrule: []\nrules: []\n".to_owned(),
        rule("match: { trust: known }"),
        rule("match: { repo: x }"),
        rule("match: { ref: { a: b } }"),
        rule("plugins: { name: x }"),
        rule("plugins: [{}]"),
        rule("plugins: [{ names: x }]"),
        rule("plugins: [{ name: \"**\" }]"),
        rule("plugins: [{ name: ./plugins/x.wasm }]"),
        rule("plugins: [{ name: [sidestep/x] }]"),
        rule("plugins: [{ reference: ghcr.io/acme/x }]"),
        rule("plugins: [{ digest: \"sha256:*\" }]"),
        rule("plugins: [{ signer: x }]"),
        rule("plugins: [{ signer: { identity: x } }]"),
        rule("plugins: [{ name: sidestep/x, reference: \"oci://x/y\" }]"),
        rule("plugins: [{ name: sidestep/x, signer: { issuer: x, identity: y } }]"),
        rule("allow: { storge: [{}] }"),
        rule("allow: { storage: [{ buckets: x }] }"),
        rule("allow: { storage: [{ actions: [read] }] }"),
        rule("allow: { kubernetes: [{ limits: 16Gi }] }"),
        rule("allow: { workspace: { read: [/etc] } }"),
        rule("allow: { workspace: { read: [../x] } }"),
        rule("cache: both"),
    ] {
        assert_eq!(both(&wrong), (false, false), "{wrong}");
    }
}

#[test]
fn the_repository_s_own_pipelines_are_right() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pipelines");
    // Their plugins are not known here. The inputs of steps are covered by the command's own test.
    let schema = schema_pipeline(&BTreeMap::new());
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the pipelines") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a pipeline");
        // Policies are in the same folder.
        if read(&text).is_ok() {
            let found = wrong_lines(&schema, &text).expect("YAML");
            assert_eq!(found, [0; 0], "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 0);
    let good = wrong_lines(&self::schema(), crate::good::FILE);
    assert_eq!(good, Some(vec![]), "what the tests hold right");
}

/// The editor help: every key has a description, and every description has a key.
#[test]
fn every_key_is_described() {
    fn look(schema: &Value, at: &str, bare: &mut Vec<String>) {
        match schema {
            Value::Object(map) => {
                for (key, value) in map {
                    let at = format!("{at}/{key}");
                    if key == "properties" {
                        let properties = value.as_object().into_iter().flatten();
                        for (name, property) in properties {
                            let described = property.get("description").is_some()
                                || property.get("$ref").is_some();
                            // Texts of plugins and conditions are their own.
                            if !described && !at.contains("/allOf/") {
                                bare.push(format!("{at}/{name}"));
                            }
                        }
                    }
                    look(value, &at, bare);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    look(item, &format!("{at}/{index}"), bare);
                }
            }
            _ => {}
        }
    }
    let mut bare = Vec::new();
    look(&schema(), "pipeline", &mut bare);
    look(&sidestep_policy::schema_policy(), "policy", &mut bare);
    assert!(bare.is_empty(), "{bare:#?}");
}

/// Every form of a plugin reference that the parser accepts is in the schema.
#[test]
fn the_schema_takes_every_form_of_uses() {
    let schema = schema();
    let digest = "0123456789abcdef".repeat(4);
    let oci = format!("oci://localhost:5000/acme/x:1@sha256:{digest}");
    for (uses, right) in [
        ("sidestep/a-plugin-2", true),
        ("./a", true),
        ("./a/../b c/\u{e9}.wasm", true),
        ("../a.wasm", true),
        ("/a.wasm", true),
        (oci.as_str(), true),
        ("sidestep/evil.wasm", false),
        ("sidestep/a/b", false),
        ("acme/a", false),
        ("a.wasm", false),
        ("./a/", false),
        ("oci://ghcr.io/acme/x:1", false),
        ("https://example.com/a.wasm", false),
        ("", false),
    ] {
        let file =
            serde_json::json!({ "version": 1, "name": "x", "steps": { "a": { "uses": uses } } });
        assert_eq!(PluginRef::parse(uses).is_ok(), right, "{uses}");
        assert_eq!(jsonschema::is_valid(&schema, &file), right, "{uses}");
    }
}

static FORMS: LazyLock<Vec<jsonschema::Validator>> = LazyLock::new(|| {
    let validator = |(pattern, _): (&str, &str)| {
        let schema = serde_json::json!({ "type": "string", "pattern": pattern });
        jsonschema::validator_for(&schema).expect("a schema")
    };
    PluginRef::FORMS.map(validator).into()
});

fn uses() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("sidestep/"),
        Just("oci://"),
        Just("./"),
        Just("../"),
        Just("/"),
        Just("a-1"),
        Just("x.wasm"),
        Just("."),
        Just(" "),
        Just("\u{e9}"),
        Just("\u{202e}"),
        Just("\n"),
        Just("@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    ];
    prop_oneof![
        proptest::collection::vec(part, 0..6).prop_map(|parts| parts.concat()),
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    /// Every plugin reference has the kind that its prefix suggests, is canonical, parses back to
    /// itself, and matches the schema.
    #[test]
    fn a_plugin_s_text_reads_back_as_itself(text in uses()) {
        let Ok(parsed) = PluginRef::parse(&text) else { return Ok(()) };
        let canonical = parsed.as_str();
        let again = PluginRef::parse(canonical);
        prop_assert_eq!(again.as_ref(), Ok(&parsed));
        let stored = serde_json::to_string(&parsed).expect("JSON");
        let read: PluginRef = serde_json::from_str(&stored).expect("stored");
        prop_assert_eq!(&read, &parsed);
        let form = match &parsed {
            PluginRef::BuiltIn(_) => 0,
            PluginRef::File(_) => 1,
            PluginRef::Oci(_) => 2,
        };
        for (index, validator) in FORMS.iter().enumerate() {
            let text = Value::from(text.as_str());
            prop_assert_eq!(validator.is_valid(&text), index == form);
        }
    }
}
