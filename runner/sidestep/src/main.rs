//! The `sidestep` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    sidestep_runner::main()
}
