use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sidestep_evaluator::Evaluator;
use sidestep_evaluator_guest::Native;
use sidestep_events::{Diagnostic, PluginRef};
use sidestep_pipeline::{
    Manifest, Pipeline, Plan, PlanInputs, Planned, PluginInfo, Source, parse, parse_partly,
    plan_partly,
};

fn plugin(name: &str, inputs: Value, outputs: Value, requests: Value) -> PluginInfo {
    let manifest: Manifest = serde_json::from_value(json!({
        "manifestVersion": 1, "name": name, "version": "0.1.0", "apiVersion": "0.1.0",
        "inputs": inputs, "outputs": outputs, "requests": requests,
    }))
    .expect("a manifest");
    PluginInfo {
        manifest: Arc::new(manifest),
        digest: digest(name),
        signer: None,
    }
}

fn named(text: &str) -> PluginRef {
    PluginRef::parse(text).expect("a plugin")
}

/// Returns a digest that depends only on the name.
fn digest(name: &str) -> String {
    format!("sha256:{:0>64}", hex::encode(name))
}

/// Returns plugins like the built-in ones, and a third-party one.
pub(crate) fn plugins() -> BTreeMap<PluginRef, PluginInfo> {
    let text = || json!({ "type": "string" });
    let object = |properties: Value, required: Value| json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    let mut all = BTreeMap::new();
    all.insert(
        named("sidestep/context-upload"),
        plugin(
            "context-upload",
            object(
                json!({
                    "path": { "type": "string", "default": "." },
                    "bucket": text(),
                    "prefix": { "type": "string", "default": "" },
                    "level": { "type": "integer", "minimum": 1, "maximum": 9 },
                    "keep": { "$ref": "#/$defs/Duration" },
                    "overlay": { "type": "array", "items": { "type": "object", "properties": { "from": text(), "at": text() }, "additionalProperties": false } },
                }),
                json!(["bucket"]),
            )
            .as_object()
            .map(|map| {
                let mut map = map.clone();
                map.insert("$defs".into(), json!({ "Duration": { "type": "string", "x-sidestep": "duration" } }));
                Value::Object(map)
            })
            .expect("a map"),
            object(json!({ "uri": text(), "files": { "type": "integer" } }), json!(["uri"])),
            json!({
                "workspace": "[{'read': [inputs.path + '/**']}]",
                "storage": "[{'bucket': inputs.bucket, 'prefix': inputs.prefix, 'actions': ['get', 'create']}]",
            }),
        ),
    );
    all.insert(
        named("sidestep/kaniko-launch"),
        plugin(
            "kaniko-launch",
            object(
                json!({
                    "context": text(),
                    "cluster": { "type": "string", "x-sidestep": "cluster" },
                    "namespace": text(),
                    "serviceAccount": { "type": "string", "default": "kaniko" },
                    "destinations": { "type": "array", "items": { "type": "string", "x-sidestep": "image-ref" } },
                    "verbose": { "type": ["boolean", "null"] },
                }),
                json!(["context", "cluster", "namespace", "destinations"]),
            ),
            object(json!({ "image": text(), "digest": text() }), json!(["image"])),
            json!({
                "kubernetes": "[{'cluster': inputs.cluster, 'namespace': inputs.namespace, 'resources': ['pods', 'pods/log'], 'actions': ['get', 'create', 'delete'], 'serviceAccounts': [inputs.serviceAccount], 'images': ['ghcr.io/osscontainertools/kaniko@*']}]",
                "registry": "inputs.destinations.map(d, {'repository': image(d).repository, 'actions': ['resolve']})",
            }),
        ),
    );
    all.insert(
        named("sidestep/pod-run"),
        plugin(
            "pod-run",
            object(json!({ "script": { "type": "string", "x-sidestep": "code" }, "env": { "type": "object", "additionalProperties": text() } }), json!(["script"])),
            object(json!({ "dist": text() }), json!([])),
            json!({}),
        ),
    );
    all.insert(
        named("./plugins/notify.wasm"),
        plugin(
            "notify",
            object(json!({ "status": text(), "url": text() }), json!(["status"])),
            object(json!({}), json!([])),
            json!({ "http": "[{'host': 'hooks.example.com', 'methods': ['POST']}]", "secrets": "[{'names': '**'}]" }),
        ),
    );
    for name in ["sidestep/reader", "./plugins/reader.wasm"] {
        let requests = json!({
            "workspace": "[{'read': [inputs.path + '/' + inputs.file], 'linksWithin': inputs.path}]",
        });
        let inputs = object(
            json!({ "path": text(), "file": text() }),
            json!(["path", "file"]),
        );
        all.insert(
            named(name),
            plugin("reader", inputs, object(json!({}), json!([])), requests),
        );
    }
    all.insert(
        named("./plugins/fetch.wasm"),
        plugin(
            "fetch",
            object(json!({ "host": text() }), json!(["host"])),
            object(json!({ "body": text() }), json!([])),
            json!({ "http": "[{'host': inputs.host, 'methods': ['GET']}]" }),
        ),
    );
    all
}

/// Returns an evaluator without limits.
pub(crate) fn evaluator() -> Arc<dyn Evaluator> {
    Arc::new(Native)
}

pub(crate) fn read(text: &str) -> Result<Pipeline, Vec<Diagnostic>> {
    let source = Source {
        name: "pipeline.yaml".to_owned(),
        text: text.to_owned(),
    };
    parse(&source, &Native)
}

/// Reads and plans a file with these inputs. Returns all errors.
pub(crate) fn planned(text: &str, inputs: Value) -> Result<Plan, Vec<Diagnostic>> {
    planned_by(&evaluator(), text, inputs)
}

/// Like [`planned`], with this evaluator.
pub(crate) fn planned_by(
    evaluator: &Arc<dyn Evaluator>,
    text: &str,
    inputs: Value,
) -> Result<Plan, Vec<Diagnostic>> {
    let source = Source {
        name: "pipeline.yaml".to_owned(),
        text: text.to_owned(),
    };
    let parsed = parse_partly(&source, &**evaluator);
    let Some(pipeline) = parsed.pipeline else {
        return Err(parsed.problems);
    };
    let plugins = plugins();
    let mut given = PlanInputs::new(&plugins, evaluator);
    given.inputs = inputs.as_object().cloned().unwrap_or_default();
    given.git = json!({ "commit": "abc123" });
    given.run = json!({ "id": "r1" });
    given.env = json!({ "LISTED": "yes", "HIDDEN": "no" });
    let Planned { plan, problems } = plan_partly(&pipeline, given, parsed.problems);
    if problems.is_empty() {
        Ok(plan)
    } else {
        Err(problems)
    }
}

/// Returns diagnostics as lines: place, code, message, help.
pub(crate) fn lines(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for d in diagnostics {
        let place = d.at.map_or("-".to_owned(), |at| {
            format!("{}:{}+{}", at.line, at.column, at.length)
        });
        let exit = d
            .exit
            .map(|exit| format!(" (exit {exit})"))
            .unwrap_or_default();
        let used = d
            .used
            .map(|at| format!(" used at {}:{}", at.line, at.column));
        let place = place + &used.unwrap_or_default();
        text.push_str(&format!(
            "{place} {}{exit}: {}\n",
            d.code.exact(),
            d.message.exact()
        ));
        for help in &d.help {
            for line in help.exact().lines() {
                text.push_str(&format!("    {line}\n"));
            }
        }
    }
    text
}
