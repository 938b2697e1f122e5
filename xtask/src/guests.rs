//! Building the plugins: guest modules for `wasm32-unknown-unknown`, made components.
//!
//! Two ways lead there. Rustup's target, where it is installed or can be added; else Debian's
//! `rustc-web`, which builds the standard library itself. Both make the same kind of module.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::profile::Profile;
use crate::{Result, cargo, release, say, tools};

const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler for guests.
enum Toolchain {
    /// The cargo that runs this, with rustup's target.
    Rustup,
    /// Debian's cargo and rustc, with the linker of the toolchain that runs this.
    Debian { linker: PathBuf },
}

const COMPONENTIZE: &str = "sidestep-componentize";
const PRECOMPILE: &str = "sidestep-precompile";
/// The package of the evaluator's module, and what it is called beside the plugins.
const EVALUATOR: (&str, &str) = ("sidestep-evaluator-guest", "evaluator");

/// Names the folder of the plugins that only tests run.
pub(crate) const TESTS: &str = "SIDESTEP_TEST_GUESTS";
/// Their packages, and what their components are called.
const TEST_GUESTS: [(&str, &str); 1] = [("sidestep-guest-attacker", "attacker")];

/// Builds every plugin under `plugins/` into a component with its manifest, and the evaluator's
/// module; returns the folder that holds them as `NAME.wasm` and `NAME.cwasm`, and the module as
/// `evaluator/evaluator.cwasm` with its memory, `evaluator/evaluator.memory`.
pub(crate) fn build(profile: Profile) -> Result<PathBuf> {
    let packages = packages()?;
    let folder = profile.plugins();
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let modules = compile(&packages)?;
    // By itself, or the features of what it depends on would be the plugins' too.
    let evaluators = compile(&[EVALUATOR.0.to_owned()])?;
    build_tools(profile, &folder)?;
    let mut components = Vec::new();
    for package in &packages {
        let module = modules.join(format!("{}.wasm", package.replace('-', "_")));
        let made = folder.join(format!("{package}.wasm"));
        component(profile, &module, &made)?;
        components.push(made);
    }
    evaluator(profile, &evaluators, &folder, &components)?;
    forget_others(&folder, &packages)?;
    Ok(folder)
}

/// Builds the plugins that only tests run into components, and returns the folder that holds them
/// as `NAME.wasm`. The tools that make components must have been built by [`build`].
pub(crate) fn build_for_tests() -> Result<PathBuf> {
    let folder = cargo::target_dir().join("plugins").join("tests");
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let modules = compile(&TEST_GUESTS.map(|(package, _)| package.to_owned()))?;
    for (package, name) in TEST_GUESTS {
        let module = modules.join(format!("{}.wasm", package.replace('-', "_")));
        component(Profile::Dev, &module, &folder.join(format!("{name}.wasm")))?;
    }
    Ok(folder)
}

fn build_tools(profile: Profile, plugins: &Path) -> Result<()> {
    say::doing("compiling the tools that make modules components");
    cargo::run(
        profile
            .build(&[COMPONENTIZE, PRECOMPILE])
            // The same folder as for what embeds it, or the two calls would undo each other's work.
            .env(release::PLUGINS, plugins),
    )
}

/// Makes modules of the packages, and returns the folder that holds them as `NAME_OF_PACKAGE.wasm`.
pub(crate) fn compile(packages: &[String]) -> Result<PathBuf> {
    compile_with(&toolchain()?, packages)
}

/// Makes a module a component, and compiles that ahead of time, unless both are newer than what
/// they are made of: a new file would make cargo build the runner anew.
pub(crate) fn component(profile: Profile, module: &Path, component: &Path) -> Result<()> {
    let componentize = profile.program(COMPONENTIZE);
    let precompile = profile.program(PRECOMPILE);
    let compiled = component.with_extension("cwasm");
    if is_current(component, &[module, &componentize])
        && is_current(&compiled, &[component, &precompile])
    {
        return Ok(());
    }
    let name = component.file_stem().unwrap_or_default();
    say::doing(&format!("making a component of {}", name.display()));
    cargo::run(
        Command::new(componentize)
            .arg(module)
            .arg("-o")
            .arg(component),
    )?;
    cargo::run(Command::new(precompile).arg(component).arg(compiled))
}

/// Compiles the evaluator's module ahead of time, and keeps its memory after questions about these
/// plugins, unless both are newer than what they are made of.
fn evaluator(
    profile: Profile,
    modules: &Path,
    plugins: &Path,
    components: &[PathBuf],
) -> Result<()> {
    let (package, name) = EVALUATOR;
    let module = modules.join(format!("{}.wasm", package.replace('-', "_")));
    // In a folder of its own: whatever lies beside the plugins is taken for one.
    let folder = plugins.join(name);
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let compiled = folder.join(format!("{name}.cwasm"));
    let precompile = profile.program(PRECOMPILE);
    let mut parts: Vec<&Path> = components.iter().map(PathBuf::as_path).collect();
    parts.extend([module.as_path(), &precompile]);
    let memory = compiled.with_extension("memory");
    if is_current(&compiled, &parts) && is_current(&memory, &parts) {
        return Ok(());
    }
    say::doing("compiling the evaluator ahead of time");
    let mut command = Command::new(precompile);
    command.arg("--evaluator").arg(module).arg(compiled);
    cargo::run(command.args(components))
}

/// Whether a file is newer than all that it is made of.
pub(crate) fn is_current(file: &Path, parts: &[&Path]) -> bool {
    let changed = |file: &Path| fs::metadata(file).and_then(|data| data.modified()).ok();
    changed(file).is_some_and(|made| {
        parts
            .iter()
            .all(|part| changed(part).is_some_and(|part| part < made))
    })
}

/// Removes what lies in the folder and belongs to no plugin, such as one that was renamed; the
/// runner would embed it.
fn forget_others(folder: &Path, packages: &[String]) -> Result<()> {
    let entries = fs::read_dir(folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_stem().unwrap_or_default();
        if name == EVALUATOR.1 {
            continue;
        }
        if !packages.iter().any(|package| name == package.as_str()) {
            fs::remove_file(&path)
                .map_err(|error| format!("cannot remove {}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// The plugins' package names: the folders under `plugins/`.
pub(crate) fn packages() -> Result<Vec<String>> {
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

fn compile_with(toolchain: &Toolchain, packages: &[String]) -> Result<PathBuf> {
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
        .args(["build", "--profile", "guest"]);
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
