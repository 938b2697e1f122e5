mod inputs;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sidestep_contract::units::TIME_PATTERN;
use sidestep_events::PluginRef;
use sidestep_policy::{Reading, schema_grants};

use crate::file::InputKind;
use crate::ids::{CEL_KEYWORDS, MAX_ID};
use crate::manifest::Manifest;
use inputs::with;

/// The maximum for the number of steps side by side.
const MOST: u32 = 10_000;

/// Returns the JSON Schema (draft 2020-12) of a pipeline file, for editors. `manifests` are the
/// known plugins: the schema describes the inputs of their steps, each as its type or an
/// expression.
pub fn schema_pipeline(manifests: &BTreeMap<PluginRef, Manifest>) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sidestep pipeline, version 1",
        "type": "object",
        "required": ["version", "name", "steps"],
        "additionalProperties": false,
        "properties": {
            "version": { "description": "The format; 1.", "const": 1 },
            "name": about(text(), "The pipeline's name, as runs are listed by it."),
            "description": about(text(), "What it is for."),
            "inputs": about(
                named(json!({ "$ref": "#/$defs/input" })),
                "What a run is given (`-i NAME=VALUE`): `${{ inputs.NAME }}`.",
            ),
            "secrets": about(
                named(json!({ "$ref": "#/$defs/secret" })),
                "Where secrets come from. Steps get them by name, never as text; each is masked \
                 in logs.",
            ),
            "env": about(texts(), "The environment variables that `${{ env.NAME }}` may read."),
            "defaults": defaults(),
            "maxParallel": about(count(MOST), "How many steps run side by side at most."),
            "timeout": about(time(), "How long the whole run may take, `finally` aside."),
            "steps": steps(
                "The steps. They run side by side as far as `needs`, and the outputs that they \
                 read, let them.",
                1,
            ),
            "finally": steps(
                "Steps that run last whatever happened, also after a cancel.",
                0,
            ),
            "outputs": about(
                named(json!({})),
                "What a run that succeeded gives: `${{ steps.STEP.outputs.NAME }}`.",
            ),
        },
        "$defs": {
            "step": step(manifests),
            "input": input(),
            "secret": secret(),
            "retry": retry(),
            "id": {
                "description": "What expressions read as one name.",
                "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                "maxLength": MAX_ID,
                "not": { "enum": CEL_KEYWORDS },
            },
        },
    })
}

fn step(manifests: &BTreeMap<PluginRef, Manifest>) -> Value {
    let mut step = json!({
        "type": "object",
        "required": ["uses"],
        "additionalProperties": false,
        "properties": {
            "uses": uses(manifests),
            "description": about(text(), "What it is for."),
            "with": {
                "description": "The plugin's inputs.",
                "type": ["object", "null"],
            },
            "if": {
                "description": "Whether it runs: CEL, without `${{ }}`. Without a status function \
                                it means `success() && (…)`.",
                "type": ["string", "boolean"],
                "not": { "type": "string", "pattern": r"\$\{\{" },
            },
            "needs": about(
                texts(),
                "Steps that end before it begins, besides those whose outputs it reads.",
            ),
            "timeout": about(time(), "How long one attempt may take."),
            "retry": { "$ref": "#/$defs/retry" },
            "matrix": matrix(),
            "failFast": {
                "description": "Whether the others of the matrix stop when one fails.",
                "type": "boolean",
                "default": true,
            },
            "maxParallel": about(
                count(MOST),
                "How many instances of the matrix run side by side at most.",
            ),
            "grants": schema_grants(Reading::Grant),
            "secrets": about(texts(), "The pipeline's secrets that it may use, by name."),
        },
    });
    let plugins = manifests.iter().map(|(plugin, manifest)| {
        let name = plugin.as_str();
        let (with, required) = with(manifest);
        let mut then = json!({ "properties": { "with": with } });
        if required {
            then["required"] = json!(["with"]);
        }
        json!({
            "if": { "required": ["uses"], "properties": { "uses": { "const": name } } },
            "then": then,
        })
    });
    let plugins: Vec<Value> = plugins.collect();
    if !plugins.is_empty() {
        step["allOf"] = Value::Array(plugins);
    }
    step
}

fn uses(manifests: &BTreeMap<PluginRef, Manifest>) -> Value {
    let known = manifests
        .iter()
        .map(|(plugin, manifest)| json!({ "const": plugin.as_str(), "description": manifest.description }));
    let forms = PluginRef::FORMS.map(
        |(pattern, what)| json!({ "type": "string", "pattern": pattern, "description": what }),
    );
    json!({
        "description": "The plugin.",
        "anyOf": known.chain(forms).collect::<Vec<_>>(),
    })
}

fn defaults() -> Value {
    json!({
        "description": "What steps have that don't say otherwise.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "timeout": about(time(), "How long one attempt may take."),
            "retry": { "$ref": "#/$defs/retry" },
            "cluster": {
                "description": "The cluster of steps that want one: \
                                projects/P/locations/L/clusters/C, or a name that the settings \
                                map.",
                "type": "string",
            },
        },
    })
}

fn input() -> Value {
    json!({
        "type": "object",
        "required": ["type"],
        "additionalProperties": false,
        "properties": {
            "type": { "description": "What it holds.", "enum": InputKind::NAMES },
            "description": about(text(), "What it is for."),
            "default": { "description": "Its value where none is given; may be an expression." },
            "pattern": about(text(), "A regular expression that the value has to match."),
            "enum": {
                "description": "The values to choose from.",
                "type": "array",
                "items": { "type": ["string", "number", "boolean", "null"] },
            },
        },
    })
}

fn secret() -> Value {
    json!({
        "description": "Where it comes from: exactly one place.",
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
        "properties": {
            "env": about(text(), "An environment variable of the runner."),
            "file": about(text(), "A file, relative to the workspace."),
            "secretManager": {
                "description": "A version in Secret Manager: \
                                projects/P/secrets/S/versions/latest.",
                "type": "string",
                "pattern": "^projects/[^/]+/secrets/[^/]+/versions/[^/]+$",
            },
        },
    })
}

fn retry() -> Value {
    json!({
        "description": "When an attempt that failed is made again.",
        "type": "object",
        "required": ["attempts"],
        "additionalProperties": false,
        "properties": {
            "attempts": about(count(100), "How many attempts at most; the first one counts."),
            "on": about(
                texts(),
                "Failure classes, codes or beginnings of codes: [unavailable, pod.evicted].",
            ),
            "delay": about(time(), "The pause before the second attempt; doubled for each after."),
            "maxDelay": about(time(), "The longest pause."),
        },
    })
}

fn matrix() -> Value {
    let value = json!({
        "type": ["string", "number", "boolean"],
        "not": { "type": "string", "pattern": r"\$\{\{" },
    });
    let maps = |what: &str| {
        json!({
            "description": what,
            "type": "array",
            "items": { "type": "object", "propertyNames": id(), "additionalProperties": value },
        })
    };
    json!({
        "description": "One instance for each combination of the values: `${{ matrix.KEY }}`.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": id(),
        "properties": {
            "include": maps("Combinations besides."),
            "exclude": maps("Combinations that are left out."),
        },
        "additionalProperties": { "type": "array", "uniqueItems": true, "items": value },
    })
}

fn steps(what: &str, least: u32) -> Value {
    json!({
        "description": what,
        "type": if least > 0 { json!("object") } else { json!(["object", "null"]) },
        "minProperties": least,
        "propertyNames": id(),
        "additionalProperties": { "$ref": "#/$defs/step" },
    })
}

fn named(of: Value) -> Value {
    json!({ "type": ["object", "null"], "propertyNames": id(), "additionalProperties": of })
}

fn id() -> Value {
    json!({ "$ref": "#/$defs/id" })
}

fn text() -> Value {
    json!({ "type": "string", "not": { "pattern": r"\$\{\{" } })
}

fn texts() -> Value {
    json!({ "type": "array", "items": text() })
}

fn time() -> Value {
    // Zero in any spelling is not a valid time.
    json!({ "type": "string", "pattern": TIME_PATTERN, "not": { "pattern": "^(0+(ms|s|m|h|d))+$" } })
}

fn count(most: u32) -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": most })
}

fn about(mut schema: Value, what: &str) -> Value {
    schema["description"] = what.into();
    schema
}
