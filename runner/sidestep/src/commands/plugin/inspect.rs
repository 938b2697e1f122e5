use serde_json::{Value, json};
use sidestep_catalog::Package;
use sidestep_events::{Exit, PluginRef, show};
use sidestep_launch::{Error, catalog};
use sidestep_report::bytes;

use crate::cli::{Format, InspectPlugin};
use crate::output::{json, line};
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &InspectPlugin) -> Result<Exit, Error> {
    let plugin =
        PluginRef::parse_argument(&args.plugin).map_err(|wrong| vec![wrong.diagnostic()])?;
    let package = catalog(&session.site)
        .for_the_command_line()
        .find(&plugin)
        .map_err(|error| vec![error.diagnostic()])?;
    match args.output.output {
        Format::Json => json(&json!({
            "manifest": package.component.manifest,
            "imports": imports(&package),
            "digest": package.component.digest,
            "size": package.component.size,
            "builtIn": package.uses.is_built_in(),
        })),
        Format::Human => human(&package),
    }
    Ok(Exit::Success)
}

fn imports(package: &Package) -> Vec<String> {
    let imports = package.component.imports.iter();
    imports.map(ToString::to_string).collect()
}

fn human(package: &Package) {
    let manifest = &package.component.manifest;
    let row = |name: &str, value: &str| line(&format!("{name:<12}  {}", show::line(value)));
    row("name", &format!("{} {}", manifest.name, manifest.version));
    if !manifest.description.is_empty() {
        row("description", &manifest.description);
    }
    match &package.uses {
        PluginRef::BuiltIn(_) => row("from", "built in"),
        PluginRef::File(_) | PluginRef::Oci(_) => row("from", package.uses.as_str()),
    }
    row("digest", &package.component.digest);
    row("size", &bytes(package.component.size as u64));
    row("API", &manifest.api_version);
    for (what, schema) in [("input", &manifest.inputs), ("output", &manifest.outputs)] {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let mut kind = kind(schema, property);
            if what == "input" {
                let required = schema["required"].as_array();
                if required.is_some_and(|all| all.iter().any(|one| one == name)) {
                    kind += ", required";
                } else if let Some(default) = default(&property["default"]) {
                    kind += &format!(", default {default}");
                }
            }
            let says = property["description"].as_str().unwrap_or_default();
            // The lines of a paragraph become one line here.
            let says = says.replace('\n', " ");
            row(what, format!("{name}  {kind}  {says}").trim_end());
        }
    }
    for (key, request) in &manifest.requests {
        row("requests", &format!("{key}  {request}"));
    }
    for import in imports(package) {
        row("imports", &import);
    }
}

/// Describes the type of a value: the SDK's name for the type if there is one, the values of an
/// enumeration, or the fields of an object. `schema` is the whole schema, for `$ref`.
fn kind(schema: &Value, property: &Value) -> String {
    if let Some(named) = property["x-sidestep"].as_str() {
        return named.to_owned();
    }
    let target = property["$ref"].as_str();
    if let Some(name) = target.and_then(|target| target.strip_prefix("#/$defs/")) {
        return kind(&Value::Null, &schema["$defs"][name]);
    }
    let texts = |list: &Value| -> Vec<String> {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let constants: Vec<Value> = ["oneOf", "anyOf"]
        .iter()
        .filter_map(|key| property[key].as_array())
        .flatten()
        .map(|one| one["const"].clone())
        .collect();
    let mut values = texts(&Value::Array(constants));
    values.extend(texts(&property["enum"]));
    if !values.is_empty() {
        return values.join(" or ");
    }
    if let Some(fields) = property["properties"].as_object() {
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        return format!("{{ {} }}", names.join(", "));
    }
    let mut kinds = texts(&property["type"]);
    kinds.extend(property["type"].as_str().map(str::to_owned));
    kinds.retain(|kind| kind != "null");
    let (items, rest) = (&property["items"], &property["additionalProperties"]);
    match kinds.join(" or ").as_str() {
        "" => "any".to_owned(),
        "array" if items.is_object() => format!("list of {}", kind(schema, items)),
        "object" if rest.is_object() => format!("map of {}", kind(schema, rest)),
        kinds => kinds.to_owned(),
    }
}

/// Formats a default value; `None` if it only means that the input has no value.
fn default(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(list) if list.is_empty() => None,
        Value::Object(map) if map.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_values_kind_is_the_sdks_where_it_names_one() {
        let kinds = [
            (json!({ "type": "string" }), "string"),
            (json!({ "type": ["string", "null"] }), "string"),
            (
                json!({ "type": ["string", "null"], "x-sidestep": "byte-size" }),
                "byte-size",
            ),
            (
                json!({ "type": "array", "items": { "type": "string", "x-sidestep": "image-ref" } }),
                "list of image-ref",
            ),
            (
                json!({ "type": "object", "additionalProperties": { "type": "string" } }),
                "map of string",
            ),
            (json!({}), "any"),
        ];
        for (property, expected) in kinds {
            assert_eq!(kind(&Value::Null, &property), expected);
        }
        let schema = json!({ "$defs": {
            "Form": { "oneOf": [{ "const": "auto" }, { "const": "direct" }] },
            "Goal": { "type": "object", "properties": { "bucket": {}, "image": {} } },
        } });
        let form = json!({ "$ref": "#/$defs/Form" });
        assert_eq!(kind(&schema, &form), "auto or direct");
        let goals = json!({ "type": "array", "items": { "$ref": "#/$defs/Goal" } });
        assert_eq!(kind(&schema, &goals), "list of { bucket, image }");
        assert_eq!(default(&json!("30s")).as_deref(), Some("30s"));
        assert_eq!(default(&json!(null)), None);
    }
}
