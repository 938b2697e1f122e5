mod inputs;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sidestep_contract::units::TIME_PATTERN;
use sidestep_evaluator::RESERVED;
use sidestep_events::PluginRef;
use sidestep_policy::{Reading, schema_grants};

use crate::file::InputKind;
use crate::ids::MAX_ID;
use crate::manifest::Manifest;
use inputs::with;

/// The maximum for the number of steps side by side.
const MOST: u32 = 10_000;

/// Returns the JSON Schema (draft 2020-12) of a pipeline file, for editors. `manifests` are the
/// known plugins: the schema describes the inputs of their steps, each as its type or an
/// expression.
pub fn schema_pipeline(manifests: &BTreeMap<PluginRef, Arc<Manifest>>) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sidestep pipeline, version 1",
        "type": "object",
        "required": ["version", "name", "steps"],
        "additionalProperties": false,
        "patternProperties": {
            "^x-": { "description": "Values for anchors, which the rest of the file repeats." },
        },
        "properties": {
            "version": { "description": "The version of the format: 1.", "const": 1 },
            "name": about(text(), "The pipeline's name, which lists of runs show."),
            "description": about(text(), "A description for readers."),
            "inputs": about(
                named(json!({ "$ref": "#/$defs/input" })),
                "The values that a run takes (`-i NAME=VALUE`). Expressions read `${{ inputs.NAME \
                 }}`.",
            ),
            "secrets": about(
                named(json!({ "$ref": "#/$defs/secret" })),
                "The secrets and their sources. Steps use them by name, never as text; logs mask \
                 them.",
            ),
            "env": about(texts(), "The environment variables that `${{ env.NAME }}` may read."),
            "defaults": defaults(),
            "maxParallel": about(count(MOST), "The maximum number of steps that run in parallel."),
            "timeout": about(time(), "The time limit of the whole run, without `finally`."),
            "steps": steps(
                "The steps. They run in parallel, except that a step waits for its `needs` and for \
                 the steps whose outputs it reads.",
                1,
            ),
            "finally": steps(
                "Steps that always run last, even after a failure or a cancel.",
                0,
            ),
            "outputs": about(
                named(json!({})),
                "The outputs of a successful run: `${{ steps.STEP.outputs.NAME }}`.",
            ),
        },
        "$defs": {
            "step": step(manifests),
            "input": input(),
            "secret": secret(),
            "retry": retry(),
            "id": {
                "description": "An id that expressions read as a single name.",
                "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                "maxLength": MAX_ID,
                "not": { "enum": RESERVED },
            },
        },
    })
}

fn step(manifests: &BTreeMap<PluginRef, Arc<Manifest>>) -> Value {
    let mut step = json!({
        "type": "object",
        "required": ["uses"],
        "additionalProperties": false,
        "properties": {
            "uses": uses(manifests),
            "description": about(text(), "A description for readers."),
            "with": {
                "description": "The plugin's inputs.",
                "type": ["object", "null"],
            },
            "if": {
                "description": "The condition for running the step: CEL, without `${{ }}`. Without \
                                a status function it means `success() && (…)`.",
                "type": ["string", "boolean"],
                "not": { "type": "string", "pattern": r"\$\{\{" },
            },
            "needs": about(
                texts(),
                "Steps that must end before this one begins, in addition to those whose outputs it \
                 reads.",
            ),
            "timeout": about(time(), "The time limit of one attempt."),
            "retry": { "$ref": "#/$defs/retry" },
            "matrix": matrix(),
            "failFast": {
                "description": "Whether the other instances of the matrix stop when one fails.",
                "type": "boolean",
                "default": true,
            },
            "maxParallel": about(
                count(MOST),
                "The maximum number of instances of the matrix that run in parallel.",
            ),
            "grants": schema_grants(Reading::Grant),
            "secrets": about(texts(), "The names of the pipeline's secrets that the step may use."),
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

fn uses(manifests: &BTreeMap<PluginRef, Arc<Manifest>>) -> Value {
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
        "description": "The values for steps that do not set their own.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "timeout": about(time(), "The time limit of one attempt."),
            "retry": { "$ref": "#/$defs/retry" },
            "cluster": {
                "description": "The cluster for steps that need one: \
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
            "type": { "description": "The type of the value.", "enum": InputKind::NAMES },
            "description": about(text(), "A description for readers."),
            "default": { "description": "The value if none is given; may be an expression." },
            "pattern": about(text(), "A regular expression that the value must match."),
            "enum": {
                "description": "The allowed values.",
                "type": "array",
                "items": { "type": ["string", "number", "boolean", "null"] },
            },
        },
    })
}

fn secret() -> Value {
    json!({
        "description": "The source of the secret: exactly one.",
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
        "description": "The conditions for retrying a failed attempt.",
        "type": "object",
        "required": ["attempts"],
        "additionalProperties": false,
        "properties": {
            "attempts": about(count(100), "The maximum number of attempts, including the first."),
            "on": about(
                texts(),
                "Failure classes, codes or prefixes of codes: [unavailable, pod.evicted].",
            ),
            "delay": about(
                time(),
                "The delay before the second attempt; it doubles for each further one.",
            ),
            "maxDelay": about(time(), "The maximum delay."),
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
            "include": maps("Additional combinations."),
            "exclude": maps("Combinations to leave out."),
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
