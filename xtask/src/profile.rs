//! Which packages cargo is asked for, and what it is asked with.
//!
//! Cargo unifies features over all the packages that one call selects. Two calls that select
//! different ones compile what both depend on twice: with some 470 crates, ten minutes for nothing.
//! So each profile has one selection, whatever is wanted of it, and programs of the workspace are
//! started where that left them, never by `cargo run`.

use std::path::PathBuf;
use std::process::Command;

use crate::cargo;

/// How the runner and the tools that make its plugins are built.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// For tests.
    Dev,
    /// For use.
    Release,
}

impl Profile {
    /// The arguments that choose the profile and the packages.
    fn selection(self) -> &'static [&'static str] {
        match self {
            // With a test among the targets, since tests bring features of their own: without, the
            // tools and then the tests would each compile everything that stands on tokio.
            Self::Dev => &["--workspace", "--test", "it"],
            Self::Release => &[
                "--release",
                "--package=sidestep-componentize",
                "--package=sidestep-host",
                "--package=sidestep",
            ],
        }
    }

    /// A `cargo build` of these programs.
    pub(crate) fn build(self, programs: &[&str]) -> Command {
        let mut command = cargo::cargo();
        command.arg("build").args(self.selection());
        for program in programs {
            command.args(["--bin", program]);
        }
        command
    }

    /// Where cargo leaves a program.
    pub(crate) fn program(self, name: &str) -> PathBuf {
        cargo::target_dir().join(self.folder()).join(name)
    }

    /// Where the finished plugins lie, as `NAME.wasm` and `NAME.cwasm`.
    pub(crate) fn plugins(self) -> PathBuf {
        cargo::target_dir().join("plugins").join(self.folder())
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}
