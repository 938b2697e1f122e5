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
use crate::compiler::{Asked, Compiler, Needed};

/// The target of plugins.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The paths of Debian's compiler and its cargo.
const DEBIAN: [&str; 2] = ["/usr/bin/rustc", "/usr/bin/cargo"];

/// Debian's tool that installs packages.
const APT: &str = "/usr/bin/apt-get";

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
    /// Finds a toolchain for the project in a folder, which needs this version of Rust.
    ///
    /// # Errors
    ///
    /// If none is new enough and has the target; the failure prints the commands that install it.
    pub(crate) fn find(folder: &Path, needed: &Needed) -> Result<Self, AuthoringError> {
        let active = Compiler::ask(|| Command::new("rustc"), folder);
        let debian = Compiler::ask(|| Command::new(DEBIAN[0]), folder);
        let debian = debian.answer().filter(|_| Path::new(DEBIAN[1]).is_file());
        choose(&active, debian, needed, Path::exists)
    }

    /// Returns cargo, in a project's folder.
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
        command
    }

    /// Returns cargo, to build a project for the target.
    pub(crate) fn build(&self, folder: &Path) -> Command {
        let mut command = self.cargo(folder);
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

    /// Returns the path of the compiler, if it is not the active one.
    pub(crate) fn other_compiler(&self) -> Option<&'static str> {
        (*self != Self::Active).then_some(DEBIAN[0])
    }
}

fn choose(
    active: &Asked,
    debian: Option<&Compiler>,
    needed: &Needed,
    exists: impl Fn(&Path) -> bool,
) -> Result<Toolchain, AuthoringError> {
    let has_target = |known: &Compiler| exists(&known.libraries().join(TARGET).join("lib"));
    let has_source = |known: &Compiler| exists(&known.libraries().join("src/rust/library/std"));
    let is_new = |known: &&Compiler| known.version >= needed.version;
    let linkers = [active.answer(), debian]
        .into_iter()
        .flatten()
        .map(|known| {
            let bin = known.libraries().join(&known.host).join("bin");
            bin.join("rust-lld")
        });
    let linker = linkers
        .chain([PathBuf::from("/usr/bin/wasm-ld"), "/usr/bin/lld".into()])
        .find(|linker| exists(linker));
    let new = active.answer().filter(is_new);
    match (new, debian.filter(is_new), linker) {
        (Some(active), _, _) if has_target(active) => Ok(Toolchain::Active),
        (_, Some(debian), _) if has_target(debian) => Ok(Toolchain::Debian),
        (_, Some(debian), Some(linker)) if has_source(debian) => {
            Ok(Toolchain::DebianFromSource(linker))
        }
        _ => Err(match active {
            Asked::Answered(known) if is_new(&known) => no_target(known, &exists),
            Asked::Answered(known) => too_old(known, needed),
            Asked::Failed(said) => silent(said),
            Asked::Absent => no_rust(),
        }),
    }
}

/// Returns the error when the compiler lacks the target.
fn no_target(active: &Compiler, exists: impl Fn(&Path) -> bool) -> AuthoringError {
    let failure = missing(format!(
        "{} can't compile for {TARGET}, the target of plugins",
        active.name
    ));
    let rustup = Shown::new(&["rustup", "target", "add", TARGET]).build();
    let failure = if active.is_of_rustup() {
        failure.with_help("install the target:").with_helps(rustup)
    } else if active.sysroot == Path::new("/usr") && exists(Path::new(APT)) {
        let target = ["sudo", "apt-get", "install", "libstd-rust-dev-wasm32"];
        let sources = ["sudo", "apt-get", "install", "rust-web-src", "lld"];
        failure
            .with_help("install the target:")
            .with_helps(Shown::new(&target).build())
            .with_help(
                "if your release does not have that package, install the sources and a linker:",
            )
            .with_helps(Shown::new(&sources).build())
    } else {
        failure
            .with_help("install the target with the package manager that installed this compiler, or install Rust with rustup (https://rustup.rs) and then:")
            .with_helps(rustup)
    };
    failure.into()
}

/// Returns the error when the compiler is older than the project allows.
fn too_old(active: &Compiler, needed: &Needed) -> AuthoringError {
    let failure = missing(format!(
        "{} is older than Rust {}, which `{}` needs",
        active.name, needed.version, needed.project
    ));
    if active.is_of_rustup() {
        let update = Shown::new(&["rustup", "update"]).build();
        failure.with_help("update it:").with_helps(update)
    } else {
        failure.with_help("install a newer Rust (https://rustup.rs)")
    }
    .into()
}

/// Returns the error when the compiler on the path does not work.
fn silent(said: &str) -> AuthoringError {
    missing(format!("the rustc on the path does not work: {said}"))
        .with_help("correct the Rust toolchain until this command succeeds in the plugin's folder:")
        .with_helps(Shown::new(&["rustc", "-vV"]).build())
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
mod tests;
