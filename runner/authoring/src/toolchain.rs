//! Finds the Rust toolchain that compiles plugins.
//!
//! A toolchain can compile plugins if it has the standard library for `wasm32-unknown-unknown`:
//! rustup's with the target, or Debian's `rustc` with the package `libstd-rust-dev-wasm32`. Newer
//! versions of Debian have `rustc-web` and `rust-web-src` instead, with which cargo builds the
//! standard library itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use sidestep_contract::Command as Shown;
use sidestep_events::{Class, Failure, Owner, codes};

use crate::AuthoringError;

/// The target of plugins.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The paths of Debian's compiler and its cargo.
const DEBIAN: [&str; 2] = ["/usr/bin/rustc", "/usr/bin/cargo"];

/// A Rust compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Compiler {
    /// Its name and version, as it prints them.
    version: String,
    sysroot: PathBuf,
    /// The target that it is itself compiled for.
    host: String,
}

/// A toolchain that compiles plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The compiler on the path.
    Active,
    /// Debian's compiler.
    Debian,
    /// Debian's compiler, which compiles the standard library too, with this linker.
    DebianFromSource(PathBuf),
}

impl Toolchain {
    /// Finds a toolchain for the project in a folder.
    ///
    /// # Errors
    ///
    /// If none has the target; the failure prints the commands that install it.
    pub(crate) fn find(folder: &Path) -> Result<Self, AuthoringError> {
        let active = Compiler::ask("rustc", folder);
        let debian = Compiler::ask(DEBIAN[0], folder).filter(|_| Path::new(DEBIAN[1]).is_file());
        choose(active.as_ref(), debian.as_ref(), Path::exists)
    }

    /// Returns cargo, to build a project for the target.
    pub(crate) fn cargo(&self, folder: &Path) -> Command {
        let mut command = match self {
            Self::Active => Command::new("cargo"),
            Self::Debian | Self::DebianFromSource(_) => Command::new(DEBIAN[1]),
        };
        command.current_dir(folder);
        if *self != Self::Active {
            command
                .env("RUSTC", DEBIAN[0])
                .env_remove("RUSTUP_TOOLCHAIN");
        }
        command.arg("build");
        if let Self::DebianFromSource(linker) = self {
            command
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                .arg("-Zbuild-std=std,panic_abort");
        }
        command.args(["--target", TARGET]);
        command
    }
}

impl Compiler {
    /// Asks a compiler for its facts, in a folder that may select a version; `None` if it does not
    /// answer.
    fn ask(program: &str, folder: &Path) -> Option<Self> {
        let answer = |arguments: &[&str]| {
            let mut command = Command::new(program);
            let output = command.current_dir(folder).args(arguments).output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            output.status.success().then(|| text.trim().to_owned())
        };
        let verbose = answer(&["-vV"])?;
        let host = verbose
            .lines()
            .find_map(|line| line.strip_prefix("host: "))?;
        Some(Self {
            version: verbose.lines().next()?.to_owned(),
            sysroot: answer(&["--print", "sysroot"])?.into(),
            host: host.to_owned(),
        })
    }

    fn libraries(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib")
    }
}

fn choose(
    active: Option<&Compiler>,
    debian: Option<&Compiler>,
    exists: impl Fn(&Path) -> bool,
) -> Result<Toolchain, AuthoringError> {
    let has_target = |known: &Compiler| exists(&known.libraries().join(TARGET).join("lib"));
    let has_source = |known: &Compiler| exists(&known.libraries().join("src/rust/library/std"));
    let linkers = [active, debian].into_iter().flatten().map(|known| {
        let bin = known.libraries().join(&known.host).join("bin");
        bin.join("rust-lld")
    });
    let linker = linkers
        .chain([PathBuf::from("/usr/bin/wasm-ld"), "/usr/bin/lld".into()])
        .find(|linker| exists(linker));
    match (active, debian, linker) {
        (Some(active), _, _) if has_target(active) => Ok(Toolchain::Active),
        (_, Some(debian), _) if has_target(debian) => Ok(Toolchain::Debian),
        (_, Some(debian), Some(linker)) if has_source(debian) => {
            Ok(Toolchain::DebianFromSource(linker))
        }
        (Some(active), _, _) => Err(no_target(active)),
        _ => Err(no_rust()),
    }
}

/// Returns the error when the compiler lacks the target.
fn no_target(active: &Compiler) -> AuthoringError {
    let command = if active.sysroot == Path::new("/usr") {
        Shown::new(&["sudo", "apt-get", "install", "libstd-rust-dev-wasm32"])
    } else {
        Shown::new(&["rustup", "target", "add", TARGET])
    };
    missing(format!(
        "{} can't compile for {TARGET}, the target of plugins",
        active.version
    ))
    .with_help("install the target:")
    .with_helps(command.build())
    .into()
}

/// Returns the error when there is no Rust.
pub(crate) fn no_rust() -> AuthoringError {
    missing("cargo and rustc are not on the path".to_owned())
        .with_help("install Rust (https://rustup.rs), then the target of plugins:")
        .with_helps(Shown::new(&["rustup", "target", "add", TARGET]).build())
        .into()
}

fn missing(message: String) -> Failure {
    Failure::new(
        Class::Failed,
        codes::plugin::TOOLCHAIN,
        Owner::Operator,
        message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiler(sysroot: &str) -> Compiler {
        Compiler {
            version: "rustc 1.95.0".to_owned(),
            sysroot: sysroot.into(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
        }
    }

    fn chosen(
        active: Option<&str>,
        debian: bool,
        files: &[&str],
    ) -> Result<Toolchain, Vec<String>> {
        let active = active.map(compiler);
        let debian = debian.then(|| compiler("/usr"));
        let exists = |path: &Path| files.iter().any(|file| path == Path::new(file));
        choose(active.as_ref(), debian.as_ref(), exists).map_err(|error| {
            let AuthoringError::Failed(failure) = error else {
                panic!("not a missing tool: {error:?}");
            };
            let help = failure.help.iter().map(sidestep_events::Help::exact);
            let message = failure.message.exact().to_owned();
            std::iter::once(message).chain(help).collect()
        })
    }

    #[test]
    fn the_first_toolchain_with_the_target_is_used() {
        const RUSTUP: &str = "/r/lib/rustlib/wasm32-unknown-unknown/lib";
        const DEBIAN: &str = "/usr/lib/rustlib/wasm32-unknown-unknown/lib";
        const SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std";
        const LINKER: &str = "/r/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld";
        let both = [RUSTUP, DEBIAN];
        assert_eq!(chosen(Some("/r"), true, &both), Ok(Toolchain::Active));
        assert_eq!(chosen(Some("/usr"), true, &both), Ok(Toolchain::Active));
        assert_eq!(chosen(Some("/r"), true, &[DEBIAN]), Ok(Toolchain::Debian));
        assert_eq!(
            chosen(Some("/r"), true, &[SOURCE, LINKER]),
            Ok(Toolchain::DebianFromSource(LINKER.into()))
        );
    }

    #[test]
    fn a_missing_target_is_named_with_the_command_that_installs_it() {
        assert_eq!(
            chosen(Some("/r"), false, &[]).expect_err("no target"),
            [
                "rustc 1.95.0 can't compile for wasm32-unknown-unknown, the target of plugins",
                "install the target:",
                "rustup target add wasm32-unknown-unknown",
            ]
        );
        let debian = chosen(Some("/usr"), true, &[]).expect_err("no target");
        assert_eq!(debian[2], "sudo apt-get install libstd-rust-dev-wasm32");
        let none = chosen(None, false, &[]).expect_err("no Rust");
        assert_eq!(none[0], "cargo and rustc are not on the path");
    }
}
