//! JSON Schemas (draft 2020-12) of grants and policies, for editors.
//!
//! They are generated from the tables that the readers use, so that both always know the same
//! keys.

use serde_json::{Map, Value, json};
use sidestep_events::PluginRef;

use crate::Capability;
use crate::capability::Scoped;
use crate::field::{Absent, Field, Holds, Reading};
use crate::pattern::{Kind, MAX_PATTERN};

/// Returns the schema of a map of grant keys: a step's `grants`, or a policy's `allow`. Texts of a
/// grant may be expressions. `secrets` is not a grant key of a step, which has its own `secrets`.
pub fn schema_grants(reading: Reading) -> Value {
    let grant = reading == Reading::Grant;
    let keys = Capability::ALL.iter().copied();
    let keys = keys.filter(|key| !(grant && *key == Capability::Secrets));
    let properties: Map<String, Value> = keys
        .map(|key| (key.as_str().to_owned(), capability(key, reading)))
        .collect();
    json!({
        "description": if grant {
            "What the step may do, each key narrowed to scopes. A built-in plugin is granted what \
             it requests under every key that is not written; any other plugin gets nothing that \
             is not written. `sidestep plan --suggest-grants` prints the least."
        } else {
            "The most that a step may be granted. A capability that is not named is not allowed; \
             a key that a scope leaves out is not limited."
        },
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// Returns the schema of a policy file.
pub fn schema_policy() -> Value {
    let patterns = |kind, what: &str| {
        let mut schema = texts(&pattern(kind, Reading::Ceiling));
        schema["description"] = format!("{what}. {}", how(kind)).into();
        schema
    };
    let trust = json!({ "enum": ["verified", "unverified", "fork"] });
    let digest = json!({
        "description": "`sha256:` of the plugin's bytes, as `sidestep plugin inspect` prints it: \
                        the one way to list a file.",
        "type": "string",
        "pattern": "^sha256:[0-9a-f]{64}$",
    });
    let begins = |with: &str, what: &str| {
        json!({
            "description": format!("{what}. {}", how(Kind::Name)),
            "type": "string",
            "maxLength": MAX_PATTERN,
            "pattern": format!("^{with}"),
        })
    };
    let signer = json!({
        "description": "Who signed a registry's plugin.",
        "type": "object",
        "required": ["issuer", "identity"],
        "additionalProperties": false,
        "properties": {
            "issuer": begins("", "Who vouches for the identity: \
                             `https://token.actions.githubusercontent.com`"),
            "identity": begins("", "The identity: a workflow's or a person's"),
        },
    });
    let rule = json!({
        "description": "What runs of one origin are allowed. The ceiling of a run is the union of \
                        the rules that match it.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "match": {
                "description": "Which runs the rule is for; what it leaves out is not looked at.",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "repository": patterns(Kind::Image, "The repository with its host: \
                                           `github.com/acme/*`"),
                    "ref": patterns(Kind::Name, "The ref: `refs/heads/main`"),
                    "event": patterns(Kind::Name, "The CI's event: `push`"),
                    "trust": {
                        "description": "How far the origin is known: `verified` from the CI's \
                                        signed token, `unverified` from the environment or from \
                                        git, `fork` for a pull request from another repository.",
                        "default": "verified",
                        "anyOf": [trust, { "type": "array", "items": trust }],
                    },
                },
            },
            "plugins": {
                "description": "Which plugins the rule is for; without it, any. All that one \
                                entry says has to hold. Where a policy lists plugins, one that \
                                no matching rule lists is refused.",
                "type": "array",
                "items": {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": false,
                    "properties": {
                        "name": begins(PluginRef::COLLECTION, "Built-in plugins: `sidestep/*`"),
                        "reference": begins(PluginRef::SCHEME, "A registry's plugins: `oci://ghcr.io/acme/*`"),
                        "digest": digest,
                        "signer": signer,
                    },
                    "not": { "required": ["name"], "anyOf": [
                        { "required": ["reference"] }, { "required": ["signer"] },
                    ] },
                },
            },
            "allow": schema_grants(Reading::Ceiling),
            "secrets": {
                "description": "The pipeline's secrets that steps may use, or `none`; without \
                                it they are not limited.",
                "anyOf": [{ "const": "none" }, { "type": "array", "items": { "type": "string" } }],
            },
            "cache": {
                "description": "Whether such a run may write to caches that others read. Only a \
                                verified one ever may.",
                "enum": ["read", "write"],
                "default": "read",
            },
        },
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sidestep policy, version 1",
        "description": "A ceiling, never a grant: what a step may do is what its plugin requests, \
                        its pipeline grants and every policy found allows.",
        "type": "object",
        "required": ["version", "rules"],
        "additionalProperties": false,
        "properties": {
            "version": { "description": "The format; 1.", "const": 1 },
            "mode": {
                "description": "`audit` only reports what would be refused.",
                "enum": ["enforce", "audit"],
                "default": "enforce",
            },
            "rules": {
                "description": "If no rule matches, nothing is allowed.",
                "type": "array",
                "items": rule,
            },
        },
    })
}

/// Returns the schema of a capability's scopes: a list, or a single scope.
fn capability(key: Capability, reading: Reading) -> Value {
    let mut one = scope(key, reading);
    // A capability that only has names also accepts a single name.
    if key.map_of(&Value::String(String::new())).is_some() {
        one = json!({ "anyOf": [one, { "type": "string" }] });
    }
    json!({
        "description": key.about(),
        "anyOf": [{ "type": "array", "items": one }, one],
    })
}

fn scope(key: Capability, reading: Reading) -> Value {
    let fields = key.fields();
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.name.to_owned(), value(field, reading)))
        .collect();
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if reading == Reading::Grant {
        let required = fields.iter().filter(|f| f.absent == Absent::Required);
        let required: Vec<&str> = required.map(|field| field.name).collect();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if let Some(choice) = key.needs_one_of() {
            let choices = choice.iter().map(|name| json!({ "required": [name] }));
            schema["anyOf"] = choices.collect();
        }
    }
    schema
}

fn value(field: &Field, reading: Reading) -> Value {
    let (mut schema, what) = match field.holds {
        Holds::Patterns(kind) => (texts(&pattern(kind, reading)), how(kind).to_owned()),
        Holds::Words(words) => {
            let words = words.iter().copied().chain(["*"]);
            let mut one = json!({ "enum": words.collect::<Vec<_>>() });
            if reading == Reading::Grant {
                one = json!({ "anyOf": [one, expression()] });
            }
            (texts(&one), "`*` is every one of them.".to_owned())
        }
        Holds::Ports => {
            let number = json!({ "type": "integer", "minimum": 1, "maximum": 65535 });
            let mut choices = vec![
                number,
                json!({ "type": "string", "pattern": r"^([0-9]+|\*)$" }),
            ];
            if reading == Reading::Grant {
                choices.push(expression());
            }
            let what = "Port numbers, or `*` for every port.";
            (texts(&json!({ "anyOf": choices })), what.to_owned())
        }
        Holds::Amounts => (
            json!({ "type": "object", "additionalProperties": { "type": ["string", "number"] } }),
            "None of these amounts may be passed: `{ memory: 16Gi, cpu: 4 }`.".to_owned(),
        ),
    };
    let absent = match (field.absent, reading) {
        (Absent::Required, Reading::Grant) => String::new(),
        (Absent::Nothing, Reading::Grant) | (Absent::Never, _) => " Left out: nothing.".to_owned(),
        (Absent::Only(value), _) => format!(" Left out: {value} alone."),
        _ => " Left out: not limited.".to_owned(),
    };
    schema["description"] = format!("{what}{absent}").into();
    schema
}

/// Returns the schema of one text or a list of texts.
fn texts(one: &Value) -> Value {
    json!({ "anyOf": [one, { "type": "array", "items": one }] })
}

fn pattern(kind: Kind, reading: Reading) -> Value {
    let mut schema = json!({ "type": "string", "maxLength": MAX_PATTERN });
    if kind == Kind::Path && reading == Reading::Ceiling {
        // The result of an expression is only read at planning time.
        schema["not"] = json!({ "pattern": r"(^/)|((^|/)\.\.(/|$))" });
    }
    schema
}

fn expression() -> Value {
    json!({ "type": "string", "pattern": r"\$\{\{" })
}

/// Describes how patterns of a kind are read.
fn how(kind: Kind) -> &'static str {
    match kind {
        Kind::Path => "Paths in the workspace; `*` stays within a folder, `**` does not.",
        Kind::Name => "`*` stands for anything but `/`, `**` for anything.",
        Kind::Host => {
            "Host names, in lower case and without a port; `*` stays within a part between dots."
        }
        Kind::Image => {
            "A host up to the first `/`, then a name; `*` stays within a part, `**` does not."
        }
        Kind::Prefix => "How object names begin, in whole parts between `/`.",
    }
}
