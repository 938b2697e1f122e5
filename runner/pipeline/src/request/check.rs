//! Checks the requests of a manifest without inputs, for the plugin's author.

use std::sync::Arc;

use serde_json::Value;
use sidestep_evaluator::{Analysis, Evaluator, Kind};
use sidestep_events::{Diagnostic, codes};
use sidestep_policy::{Capability, nearest, scope_keys};

use super::{LINKS_WITHIN, sample};
use crate::Manifest;
use crate::expression::{self, Values};
use crate::schema;

/// Returns the mistakes in a manifest's requests that are certain for any inputs: an expression that
/// can't be read, a name that is not an input, an unknown function, an unknown or missing key of a
/// scope.
pub fn check_requests(evaluator: &Arc<dyn Evaluator>, manifest: &Manifest) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (key, text) in &manifest.requests {
        let Some(capability) = Capability::from_name(key) else {
            let names = Capability::ALL.iter().map(|known| known.as_str());
            found.push(wrong(key, "is not a grant key", &did_you_mean(key, names)));
            continue;
        };
        match expression::analyse(&**evaluator, text) {
            Err(why) => found.push(wrong(
                key,
                &format!("is wrong: {why}"),
                "write a CEL expression over `inputs` that yields a list of scopes",
            )),
            Ok(analysis) => {
                let before = found.len();
                names(key, &analysis, manifest, &mut found);
                if found.len() == before {
                    values(evaluator, capability, text, &analysis, manifest, &mut found);
                }
            }
        }
    }
    found
}

/// Finds names that are not inputs, and values that are not scopes.
fn names(key: &str, analysis: &Analysis, manifest: &Manifest, found: &mut Vec<Diagnostic>) {
    let candidates = schema::candidates(&manifest.inputs, &manifest.inputs);
    let inputs = schema::property_names(&candidates);
    for reference in &analysis.references {
        let name = reference.text();
        if reference.root != "inputs" {
            let help = "a request can read only the plugin's `inputs`, as `inputs.NAME`";
            found.push(wrong(
                key,
                &format!("reads `{name}`, which is not known"),
                help,
            ));
        } else if let Some(input) = reference.path.first()
            && !inputs.contains(&input.as_str())
        {
            let what = format!("reads `{name}`, but the plugin has no input `{input}`");
            found.push(wrong(
                key,
                &what,
                &did_you_mean(input, inputs.iter().copied()),
            ));
        }
    }
    if let Some(kind) = analysis.yields
        && !matches!(kind, Kind::List | Kind::Map)
    {
        let what = format!("yields {}, not a list of scopes", kind.describe());
        found.push(wrong(key, &what, "write a list of scopes: `[{…}]`"));
    }
}

/// Tries the request on samples. Most errors may be the sample's, so only those are reported that no
/// input can avoid.
fn values(
    evaluator: &Arc<dyn Evaluator>,
    capability: Capability,
    text: &str,
    analysis: &Analysis,
    manifest: &Manifest,
    found: &mut Vec<Diagnostic>,
) {
    let key = capability.as_str();
    for all in [true, false] {
        let mut inputs = sample::inputs(&manifest.inputs, all);
        if schema::fill_defaults(&**evaluator, &manifest.inputs, &mut inputs).is_err() {
            return;
        }
        schema::fill_nulls(&manifest.inputs, &mut inputs);
        let mut values = Values::new(evaluator);
        values.roots.insert("inputs", Arc::new(inputs));
        let problems = match expression::evaluate(text, &values) {
            Ok(value) => scopes(capability, &value),
            Err(why) => {
                let why = why.to_string();
                let unknown = |name: &&String| why == format!("`{name}` is not known here");
                let functions = analysis.functions.iter().filter(unknown);
                functions
                    .map(|name| {
                        let what = format!("calls `{name}()`, which is not known");
                        wrong(
                            key,
                            &what,
                            "use the functions of CEL, `image()`, `cluster()` or `bucket()`",
                        )
                    })
                    .collect()
            }
        };
        if !problems.is_empty() {
            found.extend(problems);
            return;
        }
    }
}

/// Returns the mistakes in the keys of scopes.
fn scopes(capability: Capability, value: &Value) -> Vec<Diagnostic> {
    let key = capability.as_str();
    let keys = scope_keys(capability);
    let known = || keys.iter().map(|key| key.name);
    let mut found = Vec::new();
    let one = std::slice::from_ref(value);
    for scope in value.as_array().map_or(one, Vec::as_slice) {
        let Some(scope) = scope.as_object() else {
            continue;
        };
        for name in scope.keys() {
            let extra = capability == Capability::Workspace && name == LINKS_WITHIN;
            if !extra && !known().any(|known| known == name) {
                let what =
                    format!("has a scope with the key `{name}`, which `{key}` does not have");
                found.push(wrong(key, &what, &did_you_mean(name, known())));
            }
        }
        for missing in keys.iter().filter(|key| key.absent == "required") {
            if !scope.contains_key(missing.name) {
                let what = format!("has a scope without the key `{}`", missing.name);
                let help = format!("it is required: {}", missing.holds);
                found.push(wrong(key, &what, &help));
            }
        }
    }
    found
}

fn wrong(key: &str, what: &str, help: &str) -> Diagnostic {
    Diagnostic::error(
        codes::plugin::REQUEST,
        format!("the request `{key}` {what}"),
    )
    .with_help(help.to_owned())
}

fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => match known.collect::<Vec<_>>().join("`, `") {
            names if names.is_empty() => "there are none".to_owned(),
            names => format!("use one of `{names}`"),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sidestep_evaluator_guest::Native;
    use sidestep_events::Help;

    use super::*;

    fn check(key: &str, text: &str) -> Vec<String> {
        let manifest = json!({
            "manifestVersion": 1, "name": "p", "version": "1.0.0", "apiVersion": "0.1.0",
            "inputs": {
                "type": "object", "required": ["path", "bucket"], "additionalProperties": false,
                "properties": {
                    "path": { "type": "string" },
                    "bucket": { "type": "string", "x-sidestep": "bucket" },
                    "image": { "type": ["string", "null"], "x-sidestep": "image-ref" },
                },
            },
            "outputs": { "type": "object" }, "requests": { key: text },
        });
        let manifest: Manifest = serde_json::from_value(manifest).expect("a manifest");
        let evaluator: Arc<dyn Evaluator> = Arc::new(Native);
        check_requests(&evaluator, &manifest)
            .into_iter()
            .map(|found| {
                let help: Vec<String> = found.help.iter().map(Help::exact).collect();
                format!("{}\n  {}", found.message.exact(), help.join("\n  "))
            })
            .collect()
    }

    #[test]
    fn right_requests_have_no_findings() {
        for (key, text) in [
            ("workspace", "[{'read': [inputs.path]}]"),
            (
                "workspace",
                "[{'read': [inputs.path], 'linksWithin': inputs.path}]",
            ),
            ("workspace", "[]"),
            (
                "storage",
                "[{'bucket': bucket(inputs.bucket).name, 'prefix': '', 'actions': ['get']}]",
            ),
            (
                "registry",
                "inputs.image == null ? [] : [{'repository': image(inputs.image).repository, 'actions': ['pull']}]",
            ),
        ] {
            assert_eq!(check(key, text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn mistakes_are_found_without_inputs() {
        let mistakes: Vec<String> = [
            ("disk", "[]"),
            ("workspace", "[{'read': [inputs.path]}"),
            ("workspace", "[{'read': [inputs.pth]}]"),
            ("workspace", "[{'read': [path]}]"),
            ("workspace", "'everything'"),
            ("workspace", "[{'raed': [inputs.path]}]"),
            ("workspace", "[{'read': [lower(inputs.path)]}]"),
            ("storage", "[{'prefix': '', 'actions': ['get']}]"),
        ]
        .iter()
        .flat_map(|(key, text)| {
            let found = check(key, text);
            assert!(!found.is_empty(), "{text}");
            found
        })
        .collect();
        insta::assert_snapshot!(mistakes.join("\n"));
    }
}
