use serde_json::json;
use sidestep_catalog::{Package, Source};
use sidestep_events::Exit;
use sidestep_report::{bytes, plain_text};

use crate::cli::{Format, Plugin};
use crate::commands::Session;
use crate::equipment::catalog;
use crate::error::CommandError;
use crate::output::{json, line};

pub(crate) fn run(session: &Session, command: Plugin) -> Result<Exit, CommandError> {
    let Plugin::Inspect { plugin, output } = command;
    let package = catalog(session)
        .find(&plugin)
        .map_err(|error| vec![error.diagnostic()])?;
    match output.output {
        Format::Json => json(&json!({
            "manifest": package.component.manifest,
            "imports": imports(&package),
            "digest": package.component.digest,
            "size": package.component.size,
            "builtIn": package.is_built_in(),
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
    let row = |name: &str, value: &str| line(&format!("{name:<12}  {}", plain_text(value)));
    row("name", &format!("{} {}", manifest.name, manifest.version));
    if !manifest.description.is_empty() {
        row("description", &manifest.description);
    }
    match &package.source {
        Source::BuiltIn => row("from", "built in"),
        Source::File(path) => row("from", &path.display().to_string()),
    }
    row("digest", &package.component.digest);
    row("size", &bytes(package.component.size as u64));
    row("API", &manifest.api_version);
    for (what, schema) in [("input", &manifest.inputs), ("output", &manifest.outputs)] {
        let required = |name: &str| {
            let required = schema["required"].as_array();
            required.is_some_and(|all| all.iter().any(|one| one == name))
        };
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let kind = property["type"].as_str().unwrap_or_default();
            let says = property["description"].as_str().unwrap_or_default();
            let must = if what == "input" && required(name) {
                " (required)"
            } else {
                ""
            };
            row(what, format!("{name}{must}  {kind}  {says}").trim_end());
        }
    }
    for (key, request) in &manifest.requests {
        row("requests", &format!("{key}  {request}"));
    }
    for import in imports(package) {
        row("imports", &import);
    }
}
