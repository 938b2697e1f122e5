//! The output of `sidestep schema` judges the repository's own files correctly.

use std::path::Path;

use serde_json::Value;

use crate::command::run;

fn schema(of: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["schema", of]);
    assert!(output.status.success());
    let schema = serde_json::from_slice(&output.stdout).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    schema
}

#[test]
fn the_pipelines_of_the_repository_are_right_by_the_printed_schema() {
    let schema = schema("pipeline");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = match path.extension() {
            Some(extension) if extension == "yaml" => std::fs::read_to_string(&path).unwrap(),
            _ => continue,
        };
        let file: Value = serde_saphyr::from_str(&text).unwrap();
        // Policies are in the same folder.
        if file.get("steps").is_none() {
            continue;
        }
        let wrong: Vec<String> = validator
            .iter_errors(&file)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
        seen += 1;
    }
    assert!(seen > 0);
    let quickstart: Value = serde_saphyr::from_str(include_str!(
        "../../runner/sidestep/src/commands/quickstart.yaml"
    ))
    .unwrap();
    assert!(validator.is_valid(&quickstart));
    // The schema knows the inputs of built-in plugins.
    let mut wrong = quickstart;
    wrong["steps"]["build"]["with"]["dokerfile"] = "x".into();
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn each_schema_is_one() {
    for of in ["policy", "events", "plugin-manifest"] {
        let schema = schema(of);
        assert!(schema["title"].is_string(), "{of}");
    }
}
