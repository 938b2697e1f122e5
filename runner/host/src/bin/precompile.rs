//! `sidestep-precompile IN.wasm OUT.cwasm` compiles a component with the settings of the engine
//! that will run it, for the build that embeds it into the runner.
//!
//! `sidestep-precompile --evaluator IN.wasm OUT.cwasm PLUGIN.wasm...` compiles the evaluator's
//! module. It also writes `OUT.memory`: the SHA-256 of the code, and the module's memory after
//! questions about the requests and schemas of these plugins.
#![allow(clippy::print_stderr)] // a build tool reports to the person who runs the build

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use sidestep_catalog::Component;
use sidestep_evaluator::{Question, Statuses};
use sidestep_pipeline::Manifest;

fn main() -> ExitCode {
    if let Some(exit) = sidestep_host::compile_if_asked() {
        return exit;
    }
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let files: Vec<&Path> = arguments.iter().map(Path::new).collect();
    let made = match files.as_slice() {
        [flag, from, to, plugins @ ..] if *flag == Path::new("--evaluator") => {
            evaluator(from, to, plugins)
        }
        [from, to] => read(from)
            .and_then(|bytes| {
                sidestep_host::precompile(&bytes)
                    .map_err(|error| format!("{}: {error}", from.display()))
            })
            .and_then(|code| write(to, &code))
            .and_then(|()| without_names(to)),
        _ => {
            eprintln!("usage: sidestep-precompile IN.wasm OUT.cwasm");
            eprintln!("       sidestep-precompile --evaluator IN.wasm OUT.cwasm PLUGIN.wasm...");
            return ExitCode::from(2);
        }
    };
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn evaluator(from: &Path, to: &Path, plugins: &[&Path]) -> Result<(), String> {
    let code = sidestep_host::precompile_evaluator(&read(from)?)?;
    let mut manifests = Vec::new();
    for plugin in plugins {
        let component = Component::read(&read(plugin)?, None)
            .map_err(|error| format!("{}: {error}", plugin.display()))?;
        manifests.push(component.manifest);
    }
    write(to, &code)?;
    without_names(to)?;
    let code = read(to)?;
    let mut kept = Sha256::digest(&code).to_vec();
    kept.extend(sidestep_host::warm_evaluator(
        &code,
        &questions(&manifests),
    )?);
    write(&to.with_extension("memory"), &kept)
}

/// Removes the symbols from compiled code. Only profilers read them, and every runner would contain
/// them.
fn without_names(code: &Path) -> Result<(), String> {
    // Of binutils, as the linker that rustc calls.
    let status = Command::new("objcopy")
        .arg("--strip-all")
        .arg(code)
        .status()
        .map_err(|error| format!("cannot start objcopy: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("objcopy --strip-all {}: {status}", code.display()))
    }
}

/// Returns the questions that a pipeline of these plugins asks: their requests, and whether values
/// fit their schemas. One more expression is evaluated too.
fn questions(manifests: &[Arc<Manifest>]) -> Vec<Question<'_>> {
    let empty = || Cow::Owned(Value::Object(Map::new()));
    let mut questions = vec![Question::Evaluate {
        text: "default(inputs, {'a': ['b']}) == {} || success()".into(),
        variables: BTreeMap::from([("inputs".into(), empty())]),
        statuses: Statuses::default(),
    }];
    for manifest in manifests {
        for schema in [&manifest.inputs, &manifest.outputs] {
            questions.push(Question::Validate {
                schema: Cow::Borrowed(schema),
                value: empty(),
            });
        }
        let requests = manifest.requests.values();
        questions.extend(requests.map(|text| Question::Analyse {
            text: text.into(),
            tree: false,
        }));
    }
    questions
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(file, bytes).map_err(|error| format!("{}: {error}", file.display()))
}
