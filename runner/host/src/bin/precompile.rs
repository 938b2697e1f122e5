//! `sidestep-precompile [--evaluator] IN.wasm OUT.cwasm`: a component, or the evaluator's module,
//! compiled with the settings of the engine that will run it, for the build that embeds them
//! into the runner.
#![allow(clippy::print_stderr)] // a tool of the build talks to whoever builds

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(exit) = sidestep_host::compile_if_asked() {
        return exit;
    }
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let (evaluator, files) = match arguments.split_first() {
        Some((flag, files)) if flag == "--evaluator" => (true, files),
        _ => (false, &arguments[..]),
    };
    let [from, to] = files else {
        eprintln!("usage: sidestep-precompile [--evaluator] IN.wasm OUT.cwasm");
        return ExitCode::from(2);
    };
    let precompile = |bytes: &[u8]| {
        if evaluator {
            sidestep_host::precompile_evaluator(bytes)
        } else {
            sidestep_host::precompile(bytes).map_err(|error| error.to_string())
        }
    };
    let compiled = std::fs::read(from)
        .map_err(|error| error.to_string())
        .and_then(|bytes| precompile(&bytes))
        .and_then(|code| std::fs::write(to, code).map_err(|error| error.to_string()));
    match compiled {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}: {error}", from.display());
            ExitCode::FAILURE
        }
    }
}
