//! Building the plugins: guest modules for `wasm32-unknown-unknown`, made components.
//!
//! Two ways lead there. Rustup's target, where it is installed or can be added; else Debian's
//! `rustc-web`, which builds the standard library itself. Both make the same kind of module.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, cargo, say, tools};

const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler for guests.
enum Toolchain {
    /// The cargo that runs this, with rustup's target.
    Rustup,
    /// Debian's cargo and rustc, with the linker of the toolchain that runs this.
    Debian { linker: PathBuf },
}

/// Builds every plugin under `plugins/` into a component with its manifest, and returns the folder
/// that holds them as `NAME.wasm` and `NAME.cwasm`.
pub(crate) fn build(profile: Profile) -> Result<PathBuf> {
    let packages = packages()?;
    let toolchain = toolchain()?;
    let modules = compile(&toolchain, &packages)?;
    let folder = cargo::target_dir().join("plugins").join(profile.folder());
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    say::doing("building the tools that make components (the first time takes some minutes)");
    let mut tools = cargo::cargo();
    tools.args([
        "build",
        "--package",
        "sidestep-componentize",
        "--package",
        "sidestep-host",
    ]);
    cargo::run(tools.arg("--bins").args(profile.arguments()))?;
    say::doing(&format!("making components of {}", packages.join(", ")));
    for package in &packages {
        let module = modules.join(format!("{}.wasm", package.replace('-', "_")));
        let component = folder.join(format!("{package}.wasm"));
        let mut componentize = profile.tool("sidestep-componentize", "sidestep-componentize");
        cargo::run(componentize.arg(&module).arg("-o").arg(&component))?;
        let mut precompile = profile.tool("sidestep-host", "sidestep-precompile");
        cargo::run(
            precompile
                .arg(&component)
                .arg(component.with_extension("cwasm")),
        )?;
    }
    Ok(folder)
}

/// How the programs that the guests are made with, and for, are built.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// For tests.
    Dev,
    /// For use.
    Release,
}

impl Profile {
    /// The arguments that choose it.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Dev => &[],
            Self::Release => &["--release"],
        }
    }

    /// A program of the workspace, to be given arguments and run.
    fn tool(self, package: &str, program: &str) -> Command {
        let mut command = cargo::cargo();
        command.args(["run", "--quiet", "--package", package, "--bin", program]);
        command.args(self.arguments()).arg("--");
        command
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// The plugins' package names: the folders under `plugins/`.
fn packages() -> Result<Vec<String>> {
    let folder = cargo::root().join("plugins");
    let entries = fs::read_dir(&folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(std::result::Result::ok)
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

fn compile(toolchain: &Toolchain, packages: &[String]) -> Result<PathBuf> {
    let mut command = match toolchain {
        Toolchain::Rustup => {
            say::doing(&format!("compiling the plugins with rustup's {TARGET}"));
            cargo::cargo()
        }
        Toolchain::Debian { linker } => {
            say::doing(
                "compiling the plugins with Debian's rustc-web, and its own standard library",
            );
            let mut command = Command::new("/usr/bin/cargo");
            command
                .current_dir(cargo::root())
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                .env_remove("RUSTUP_TOOLCHAIN")
                .arg("-Zbuild-std=std,panic_abort");
            command
        }
    };
    // A folder of its own: Debian's compiler and rustup's would otherwise undo each other's work.
    let target = cargo::target_dir().join(match toolchain {
        Toolchain::Rustup => "guests",
        Toolchain::Debian { .. } => "guests-debian",
    });
    command
        .env("CARGO_TARGET_DIR", &target)
        .args(["build", "--quiet", "--profile", "guest"]);
    command.args(["--target", TARGET]);
    for package in packages {
        command.args(["--package", package]);
    }
    cargo::run(&mut command)?;
    Ok(target.join(TARGET).join("guest"))
}

fn toolchain() -> Result<Toolchain> {
    if std::env::var("SIDESTEP_GUEST_TOOLCHAIN").is_ok_and(|name| name == "debian") {
        return debian();
    }
    let installed = || {
        cargo::output(Command::new("rustup").args(["target", "list", "--installed"]))
            .is_ok_and(|list| list.lines().any(|line| line == TARGET))
    };
    if installed() {
        return Ok(Toolchain::Rustup);
    }
    say::doing(&format!("rustup target add {TARGET}"));
    match cargo::output(Command::new("rustup").args(["target", "add", TARGET])) {
        Ok(_) => Ok(Toolchain::Rustup),
        Err(why) => {
            say::doing(&format!(
                "rustup can't add it ({why}); Debian's rustc-web can do the same"
            ));
            debian()
        }
    }
}

fn debian() -> Result<Toolchain> {
    if !Path::new("/usr/bin/cargo").exists() || !Path::new("/usr/bin/rustc").exists() {
        tools::apt_install(
            &["rustc-web", "cargo-web", "rust-web-src"],
            "compiles the plugins",
        )?;
    }
    let sysroot = cargo::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let host = cargo::output(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let linker = Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(host.trim())
        .join("bin/rust-lld");
    if linker.is_file() {
        Ok(Toolchain::Debian { linker })
    } else {
        Err(format!(
            "the linker {} is missing; `rustup component add rust-std`",
            linker.display()
        ))
    }
}
