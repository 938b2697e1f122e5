//! Builds a plugin's component.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use serde::Deserialize;
use sidestep_catalog::{ApiRange, Component};
use sidestep_componentize::{Error, componentize, componentize_for_debugging};
use sidestep_evaluator::Evaluator;
use sidestep_events::{Class, Diagnostic, Failure, Owner, codes};
use sidestep_pipeline::check_requests;

use crate::{AuthoringError, Project};

/// The options of a build.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Keeps debug information (DWARF), and does not optimise the code.
    pub debug: bool,
    /// Keeps cargo from printing its progress.
    pub quiet: bool,
    /// The component's file; `NAME.wasm` in the project's folder if it is not set.
    pub file: Option<PathBuf>,
}

/// A component that was built.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The component's file.
    pub file: PathBuf,
    /// The component's metadata.
    pub component: Component,
    /// The grant keys that the plugin requests but does not use.
    pub unused: Vec<String>,
}

/// A line of cargo's output, as far as it is read.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact {
        target: Target,
        filenames: Vec<PathBuf>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

/// Compiles a plugin, converts it to a component, checks it and writes it. Cargo prints its progress
/// and its errors to standard error.
///
/// # Errors
///
/// If the toolchain lacks the target, the plugin does not compile, or it requests or imports
/// something that no runner accepts.
pub fn build(
    project: &Project,
    options: &Options,
    evaluator: &Arc<dyn Evaluator>,
) -> Result<Built, AuthoringError> {
    let module = compile(project, options)?;
    let module = fs::read(&module).map_err(|error| {
        AuthoringError::usage(
            format!("the module {} can't be read: {error}", module.display()),
            "build again",
        )
    })?;
    let convert = if options.debug {
        componentize_for_debugging
    } else {
        componentize
    };
    let converted = convert(&module).map_err(|error| wrong(&project.name, &error))?;
    let component = Component::read(&converted.bytes, Some(&ApiRange::supported()))
        .map_err(|error| error.about(&format!("`{}`", project.name)).diagnostic())?;
    let problems = check_requests(evaluator, &component.manifest);
    if !problems.is_empty() {
        return Err(AuthoringError::Wrong(problems));
    }
    let file = options.file.clone();
    let file = file.unwrap_or_else(|| project.folder.join(format!("{}.wasm", project.name)));
    replace(&file, &converted.bytes).map_err(|error| AuthoringError::unwritable(&file, &error))?;
    Ok(Built {
        file,
        component,
        unused: converted.unused,
    })
}

/// Compiles the plugin's module, and returns its file.
fn compile(project: &Project, options: &Options) -> Result<PathBuf, AuthoringError> {
    let mut cargo = project.toolchain.build(&project.folder);
    cargo.args(["--lib", "--package", &project.name]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    if !options.debug {
        cargo.arg("--release");
    }
    if options.quiet {
        cargo.arg("--quiet");
    }
    let failed = |why: String| {
        Failure::new(
            Class::Failed,
            codes::plugin::BUILD,
            Owner::Plugin,
            format!("cargo can't build `{}`: {why}", project.name),
        )
    };
    let output = cargo
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let mut failure = failed(output.status.to_string());
        if let Some(compiler) = project.toolchain.other_compiler() {
            failure = failure.with_help(format!(
                "{compiler} compiled it, because the active rustc is too old or lacks the target of plugins"
            ));
        }
        return Err(failure
            .with_help("correct the errors that cargo printed")
            .into());
    }
    module(&output.stdout).ok_or_else(|| {
        failed("it did not report a module".to_owned())
            .with_help(
                "check `crate-type` in the plugin's `Cargo.toml`: it must contain \"cdylib\"",
            )
            .into()
    })
}

/// Returns the module that cargo reported last: that of the plugin's own crate.
fn module(messages: &[u8]) -> Option<PathBuf> {
    let lines = messages.split(|byte| *byte == b'\n');
    let mut modules = lines.filter_map(|line| match serde_json::from_slice(line).ok()? {
        Message::CompilerArtifact { target, filenames }
            if target.crate_types.iter().any(|kind| kind == "cdylib") =>
        {
            let is_module = |file: &PathBuf| file.extension().is_some_and(|end| end == "wasm");
            filenames.into_iter().find(is_module)
        }
        _ => None,
    });
    modules.next_back()
}

/// Returns the error of a module that is not a plugin.
fn wrong(name: &str, error: &Error) -> Diagnostic {
    let code = match error {
        Error::NoManifest | Error::Ask(_) | Error::Manifest(_) => codes::plugin::MANIFEST,
        Error::NotRequested { .. } => codes::plugin::NOT_REQUESTED,
        Error::Foreign(_) => codes::plugin::IMPORTS,
        Error::Module(_) | Error::Encode(_) | Error::Component(_) => codes::plugin::MALFORMED,
    };
    Diagnostic::error(code, format!("`{name}`: {error}"))
}

/// Replaces a file at once, so that a run never reads a half-written component.
fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = unfinished(file);
    fs::write(&new, bytes)?;
    fs::rename(&new, file)
}

/// Returns the path of a component until it is complete.
pub(crate) fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    file.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugins_own_module_is_found_among_cargos_messages() {
        let messages = br#"{"reason":"compiler-artifact","target":{"crate_types":["lib"]},"filenames":["/t/libserde.rlib"]}
{"reason":"compiler-artifact","target":{"crate_types":["cdylib","rlib"]},"filenames":["/t/libmine.rlib","/t/mine.wasm"]}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(module(messages), Some("/t/mine.wasm".into()));
        assert_eq!(module(b"{\"reason\":\"build-finished\"}\n"), None);
    }

    #[test]
    fn a_component_is_replaced_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("p.wasm");
        for text in ["one", "two"] {
            replace(&file, text.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(&file).expect("text"), text);
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
