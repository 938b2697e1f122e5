//! The project's own tasks: `cargo xtask demo | build | test | cluster | bench | soak | fuzz | generate`.
//!
//! This program only finds, installs and starts other programs. It must not know what Sidestep
//! does. It has no dependencies, so that it builds within seconds of a clone.
#![allow(clippy::print_stderr, clippy::print_stdout)] // talking to a person is its job
#![allow(clippy::disallowed_methods, reason = "not a setting of the runner")]

mod bench;
mod cargo;
mod cluster;
mod demo;
mod fuzz;
mod generate;
mod guests;
mod limit;
mod phases;
mod profile;
mod release;
mod say;
mod soak;
mod test;
mod tools;

use std::process::ExitCode;

/// The reason why a task failed, for the person who started it.
pub(crate) type Result<T> = std::result::Result<T, String>;

const USAGE: &str = "\
cargo xtask demo      set up, build the runner, and run the main job in the sandbox
cargo xtask build     build the release runner with its plugins, and print its path
cargo xtask test      set up and run all tests; with --judges, also compare a million
                      paths of build contexts with Docker's own walk
cargo xtask cluster   run Kubernetes on this machine, in namespaces of its own: up, exec, down
cargo xtask bench     compare Sidestep with the usual alternatives
cargo xtask soak      repeat the tests of random moments in full: soak [NAME] [--seed N]
cargo xtask fuzz      fuzz the parsers of files and responses: fuzz [NAME] [--seconds N]
cargo xtask generate  regenerate docs/reference from the runner's own output";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match arguments.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("", &[][..]),
    };
    let outcome = match (task, rest) {
        ("demo", rest) => demo::run(rest),
        ("build", []) => release::build().map(|runner| {
            println!("{}", runner.display());
            ExitCode::SUCCESS
        }),
        ("test", rest) => {
            let _limit = tools::is_ci().then(limit::Limit::start);
            let outcome = test::run(rest);
            say::times();
            outcome
        }
        ("cluster", rest) => cluster::run(rest),
        ("bench", rest) => bench::run(rest),
        ("soak", rest) => soak::run(rest),
        ("fuzz", rest) => fuzz::run(rest),
        ("generate", rest) => generate::run(rest),
        ("" | "help" | "--help" | "-h", []) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("error: no task `{}`\n\n{USAGE}", arguments.join(" "));
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|message| {
        eprintln!("error: {message}");
        ExitCode::FAILURE
    })
}
