use serde_json::{Map, Value, json};
use sidestep_events::{Exit, PluginRef};
use sidestep_launch::{Error, Given, catalog, run_id};
use sidestep_pipeline::Source;

use crate::cli::Exec;
use crate::commands::{Session, run};
use crate::inputs;

/// Runs one plugin as the only step of a generated pipeline, so that it is checked, granted and
/// recorded like any other step.
pub(crate) async fn run(session: &Session, args: &Exec) -> Result<Exit, Error> {
    let plugin =
        PluginRef::parse_argument(&args.plugin).map_err(|wrong| vec![wrong.diagnostic()])?;
    let package = catalog(&session.site)
        .find(&plugin)
        .map_err(|error| vec![error.diagnostic()])?;
    let manifest = &package.component.manifest;
    let given = inputs::read(&session.site.workspace, args.inputs.as_ref(), &args.input)?;
    let with: Map<String, Value> = given
        .into_iter()
        .map(|(name, value)| {
            let value = typed(&manifest.inputs, &name, value);
            (name, value)
        })
        .collect();
    let id = step_id(&manifest.name);
    let mut step = json!({ "uses": plugin, "with": with });
    if let Some(file) = &args.grants {
        step["grants"] = inputs::structure(&session.site.workspace, file)?;
    }
    let outputs: Map<String, Value> = manifest.outputs["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| {
            let read = format!("${{{{ steps.{id}.outputs.{name} }}}}");
            (name.clone(), read.into())
        })
        .collect();
    let mut steps = Map::new();
    steps.insert(id, step);
    let mut pipeline = json!({ "version": 1, "name": manifest.name, "steps": steps });
    if !outputs.is_empty() {
        pipeline["outputs"] = outputs.into();
    }
    let source = Source {
        name: format!("exec {}", plugin.as_str()),
        // JSON is valid YAML, and messages show it more readably over several lines.
        text: serde_json::to_string_pretty(&pipeline).unwrap_or_default(),
    };
    let given = Given {
        policy: args.policy.clone(),
        run_id: args.run_id.as_deref().map(run_id).transpose()?,
        ..Given::default()
    };
    run::start(session, &source, &given, &args.flags, Vec::new()).await
}

/// Converts a text from the command line to the type that the plugin's schema expects.
fn typed(schema: &Value, name: &str, value: Value) -> Value {
    let Value::String(text) = &value else {
        return value;
    };
    let mut property = &schema["properties"][name];
    // A value that may be absent is the other alternative of null.
    let alternatives = property["anyOf"].as_array();
    if let Some(other) = alternatives.and_then(|all| all.iter().find(|one| one["type"] != "null")) {
        property = other;
    }
    if let Some(reference) = property["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        property = schema.pointer(pointer).unwrap_or(&Value::Null);
    }
    let wants = |kind: &str| match &property["type"] {
        Value::String(one) => one == kind,
        Value::Array(many) => many.iter().any(|one| one == kind),
        _ => false,
    };
    if property["type"].is_null() || wants("string") {
        return value;
    }
    serde_json::from_str(text).unwrap_or(value)
}

/// Converts a plugin's name to a step id.
fn step_id(name: &str) -> String {
    let id: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if id.starts_with(|c: char| c.is_ascii_alphabetic()) {
        id
    } else {
        format!("step_{id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_what_the_schema_wants() {
        let schema = json!({
            "properties": {
                "name": {"type": "string"}, "count": {"type": ["integer", "null"]},
                "list": {"type": "array"}, "size": {"$ref": "#/$defs/Size"},
                "job": {"anyOf": [{"$ref": "#/$defs/Job"}, {"type": "null"}]},
                "least": {"anyOf": [{"$ref": "#/$defs/Size"}, {"type": "null"}]},
            },
            "$defs": {"Size": {"type": "string"}, "Job": {"type": "object"}},
        });
        let typed = |name: &str, text: &str| typed(&schema, name, text.into());
        assert_eq!(typed("name", "1"), json!("1"));
        assert_eq!(typed("count", "1"), json!(1));
        assert_eq!(typed("list", "[\"a\"]"), json!(["a"]));
        assert_eq!(typed("size", "10"), json!("10"));
        assert_eq!(typed("job", "{\"a\": 1}"), json!({"a": 1}));
        assert_eq!(typed("least", "10"), json!("10"));
        assert_eq!(typed("count", "many"), json!("many"));
        assert_eq!(typed("unknown", "1"), json!("1"));
    }

    #[test]
    fn a_plugin_s_name_becomes_an_id() {
        assert_eq!(step_id("wi-verify"), "wi_verify");
        assert_eq!(step_id("3d"), "step_3d");
    }
}
