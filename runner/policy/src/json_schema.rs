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
            "The permissions of the step: a list of scopes for each capability. If a key is \
             absent, a built-in plugin is granted what it requests, and any other plugin nothing. \
             `sidestep plan --suggest-grants` prints the minimum."
        } else {
            "The maximum that a step may be granted. A capability that is not listed is not \
             allowed; a key that a scope omits is not limited."
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
        "description": "The SHA-256 digest of the plugin's bytes, as `sidestep plugin inspect` \
                        prints it: the only way to list a file.",
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
        "description": "The signer of a registry's plugin.",
        "type": "object",
        "required": ["issuer", "identity"],
        "additionalProperties": false,
        "properties": {
            "issuer": begins("", "The issuer of the identity: \
                             `https://token.actions.githubusercontent.com`"),
            "identity": begins("", "The identity: a workflow's or a person's"),
        },
    });
    let rule = json!({
        "description": "The permissions of runs of one origin. The ceiling of a run is the union \
                        of the rules that match it.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "match": {
                "description": "The runs that the rule applies to. A key that is absent, other \
                                than `trust`, matches every run.",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "repository": patterns(Kind::Image, "The repository with its host: \
                                           `github.com/acme/*`"),
                    "ref": patterns(Kind::Name, "The ref: `refs/heads/main`"),
                    "event": patterns(Kind::Name, "The CI's event: `push`"),
                    "trust": {
                        "description": "The trust in the origin: `verified` from the CI's signed \
                                        token, `unverified` from the environment or from git, \
                                        `fork` for a pull request from another repository.",
                        "default": "verified",
                        "anyOf": [trust, { "type": "array", "items": trust }],
                    },
                },
            },
            "plugins": {
                "description": "The plugins that the rule applies to; if absent, all. A plugin \
                                must match every key of an entry. If a policy lists plugins, a \
                                plugin that no matching rule lists is refused.",
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
                "description": "The pipeline's secrets that steps may use, or `none`; if absent, \
                                they are not limited.",
                "anyOf": [{ "const": "none" }, { "type": "array", "items": { "type": "string" } }],
            },
            "cache": {
                "description": "Whether such a run may write to caches that other runs read. Only \
                                verified runs can.",
                "enum": ["read", "write"],
                "default": "read",
            },
        },
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sidestep policy, version 1",
        "description": "A ceiling, never a grant: a step may do only what its plugin requests, its \
                        pipeline grants and every policy that was found allows.",
        "type": "object",
        "required": ["version", "rules"],
        "additionalProperties": false,
        "properties": {
            "version": { "description": "The version of the format: 1.", "const": 1 },
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
            (texts(&one), "`*` means all of them.".to_owned())
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
            "The maximum amounts: `{ memory: 16Gi, cpu: 4 }`.".to_owned(),
        ),
    };
    let absent = match (field.absent, reading) {
        (Absent::Required, Reading::Grant) => String::new(),
        (Absent::Nothing, Reading::Grant) | (Absent::Never, _) => " If absent: nothing.".to_owned(),
        (Absent::Only(value), _) => format!(" If absent: only {value}."),
        _ => " If absent: not limited.".to_owned(),
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
        Kind::Path => "Paths in the workspace; `*` matches within one folder, `**` across folders.",
        Kind::Name => "`*` matches anything but `/`, `**` matches anything.",
        Kind::Host => {
            "Host names, in lower case and without a port; `*` matches within one part between \
             dots."
        }
        Kind::Image => {
            "A host up to the first `/`, then a name; `*` matches within one part, `**` across \
             parts."
        }
        Kind::Prefix => "Prefixes of object names, in whole parts between `/`.",
    }
}
