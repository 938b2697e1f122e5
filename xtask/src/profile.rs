//! The packages and arguments of cargo calls.
//!
//! Cargo unifies features over all the packages that one call selects. Two calls with different
//! selections compile their common dependencies twice: with some 470 crates, this wastes ten
//! minutes. Therefore each profile has one selection for all purposes. Programs of the
//! workspace are started from its output, never by `cargo run`.

use std::path::PathBuf;
use std::process::Command;

use crate::cargo;

/// The variable with rustc's flags for the runner's platform.
const FLAGS_VARIABLE: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
/// Makes calls between crates direct. With full RELRO, rustc calls each function of another crate
/// through its address in `.got`, and the loader writes all of them, 57,000, at each start. So
/// rustc is asked for partial RELRO, and the linker for immediate binding, which makes it full.
const DIRECT_CALLS: &str = "-Crelro-level=partial -Clink-arg=-Wl,-z,now";

/// A build profile of the runner and of the tools that build its plugins.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// For tests.
    Dev,
    /// For use.
    Release,
}

impl Profile {
    /// Returns the arguments that select the profile and the packages.
    fn selection(self) -> &'static [&'static str] {
        match self {
            // The targets include a test, because tests enable features of their own. Without it,
            // the tools and then the tests would each compile everything that depends on tokio.
            Self::Dev => &["--workspace", "--test", "it"],
            Self::Release => &[
                "--release",
                "--package=sidestep-componentize",
                "--package=sidestep-host",
                "--package=sidestep",
            ],
        }
    }

    /// Returns a `cargo build` of these programs.
    pub(crate) fn build(self, programs: &[&str]) -> Command {
        let mut command = cargo::cargo();
        command.arg("build").args(self.selection());
        for program in programs {
            command.args(["--bin", program]);
        }
        if let Self::Release = self {
            command.env(FLAGS_VARIABLE, DIRECT_CALLS);
        }
        command
    }

    /// Returns the path of a program that cargo built.
    pub(crate) fn program(self, name: &str) -> PathBuf {
        cargo::target_dir().join(self.folder()).join(name)
    }

    /// Returns the folder of the finished plugins, as `NAME.wasm` and `NAME.cwasm`.
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
