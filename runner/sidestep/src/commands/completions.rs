use clap::CommandFactory;
use sidestep_events::Exit;

use super::Cli;
use crate::cli::Completions;
use crate::output::print_own;

pub(crate) fn run(args: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sidestep", &mut script);
    print_own(&String::from_utf8_lossy(&script));
    Exit::Success
}
