//! The `sidestep` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    sidestep::main()
}
