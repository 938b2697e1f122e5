//! The command line: its types ([`cli`]), its settings ([`settings`]), and one module per command.
//!
//! The other crates implement what the commands do. This one parses the arguments, picks the
//! reporter, and turns the result into an exit code.

pub mod cli;
pub mod settings;

mod built_in;
mod cloud;
mod commands;
mod env_file;
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
mod user_cluster;

use std::process::ExitCode;

use clap::Parser;
use sidestep_events::Exit;

pub use commands::Cli;

use signals::Inherited;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // First, since a process that compiles an untrusted plugin must not do anything else.
    if let Some(exit) = sidestep_host::compile_if_asked() {
        return exit;
    }
    // Before any handler is set and before any file is written.
    let inherited = Inherited::read();
    // If this fails, the first command that starts anything fails too.
    let _ = signals::survive_file_size_limit();
    panic::install();
    // The panic hook has already reported the panic.
    let exit = std::panic::catch_unwind(|| perform(inherited));
    log::finish();
    exit.unwrap_or_else(|_| code(Exit::Bug))
}

fn perform(inherited: Inherited) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return code(output::finished(usage::say(error))),
    };
    raise_open_files();
    code(output::finished(commands::dispatch(cli, inherited)))
}

/// Raises the limit on open files to the maximum. Following a thousand pods needs some thousands of
/// connections, and the usual limit is 1,024.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let most = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // If this fails, the usual limit is enough for most runs.
        let _ = setrlimit(Resource::Nofile, most);
    }
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit.code())
}
