//! The command line: its types ([`cli`]), its settings ([`settings`]), and one module a command.
//!
//! What a command does is the other crates' matter; this one reads what the user wants, picks who
//! shows it, and turns the end into an exit code.

pub mod cli;
pub mod settings;

mod built_in;
mod cloud;
mod commands;
mod environment;
mod inputs;
mod launch;
mod limits;
mod log;
mod mermaid;
mod output;
mod panic;
mod reporters;
mod session;
mod signals;
mod usage;

use std::process::ExitCode;

use clap::Parser;
use sidestep_events::Exit;

use signals::Inherited;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // Before anything else: a process that compiles a stranger's plugin is to do nothing besides.
    if let Some(exit) = sidestep_host::compile_if_asked() {
        return exit;
    }
    // Before any handler is set, and before any file is written.
    let inherited = Inherited::read();
    // Where that fails, so does the first command that starts anything.
    let _ = signals::survive_file_size_limit();
    panic::install();
    // The hook has said what there is to say.
    let exit = std::panic::catch_unwind(|| perform(inherited));
    log::finish();
    exit.unwrap_or_else(|_| code(Exit::Bug))
}

fn perform(inherited: Inherited) -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return code(output::finished(usage::say(error))),
    };
    raise_open_files();
    code(output::finished(commands::dispatch(cli, inherited)))
}

/// Takes as many open files as this process may have: a thousand pods that are followed need some
/// thousands of connections, and the usual limit is 1,024.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let most = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // Where that is refused, the usual limit does for most runs.
        let _ = setrlimit(Resource::Nofile, most);
    }
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit.code())
}
