//! Builds the plugins: guest modules for `wasm32-unknown-unknown`, converted to components.
//!
//! There are two toolchains: rustup's target, if it is installed or can be added, otherwise
//! Debian's `rustc-web`, which builds the standard library itself. Both produce the same kind of
//! module.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::profile::Profile;
use crate::{Result, cargo, say, tools};

const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler for guests.
enum Toolchain {
    /// The cargo that runs this program, with rustup's target.
    Rustup,
    /// Debian's cargo and rustc, with the linker of the toolchain that runs this program.
    Debian { linker: PathBuf },
}

const COMPONENTIZE: &str = "sidestep-componentize";
const PRECOMPILE: &str = "sidestep-precompile";
/// The package of the evaluator's module, and its folder next to the plugins.
const EVALUATOR: (&str, &str) = ("sidestep-evaluator-guest", "evaluator");

/// The variable that names the folder of components that the build of `sidestep` embeds.
pub(crate) const PLUGINS: &str = "SIDESTEP_PLUGINS";
/// The variable that names the folder of the test-only plugins.
pub(crate) const TESTS: &str = "SIDESTEP_TEST_GUESTS";
/// The packages of the test-only plugins, and the names of their components.
const TEST_GUESTS: [(&str, &str); 1] = [("sidestep-guest-attacker", "attacker")];

/// Builds every plugin under `plugins/` into a component with its manifest, and the evaluator's
/// module. Returns the folder that contains them as `NAME.wasm` and `NAME.cwasm`, and the module as
/// `evaluator/evaluator.cwasm` with its memory, `evaluator/evaluator.memory`.
pub(crate) fn build(profile: Profile) -> Result<PathBuf> {
    let packages = packages()?;
    let folder = profile.plugins();
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let modules = compile(&packages)?;
    // Compiled separately, because the plugins would otherwise get the features of its
    // dependencies.
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

/// Builds the test-only plugins into components, and returns the folder that contains them as
/// `NAME.wasm`. [`build`] must already have built the componentize tools.
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
    say::doing("compiling the tools that convert modules to components");
    cargo::run(
        profile
            .build(&[COMPONENTIZE, PRECOMPILE])
            // Use the same folder as the program that embeds it, or the two calls would invalidate
            // each other's build.
            .env(PLUGINS, plugins),
    )
}

/// Builds the packages as modules, and returns the folder that contains them as
/// `NAME_OF_PACKAGE.wasm`.
pub(crate) fn compile(packages: &[String]) -> Result<PathBuf> {
    compile_with(&toolchain()?, packages)
}

/// Converts a module to a component and compiles it ahead of time, unless both are newer than their
/// sources. A new file would make cargo rebuild the runner.
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
    say::doing(&format!("converting {} to a component", name.display()));
    cargo::run(
        Command::new(componentize)
            .arg(module)
            .arg("-o")
            .arg(component),
    )?;
    cargo::run(Command::new(precompile).arg(component).arg(compiled))
}

/// Compiles the evaluator's module ahead of time, and saves its memory after it has answered
/// questions about these plugins, unless both files are newer than their sources.
fn evaluator(
    profile: Profile,
    modules: &Path,
    plugins: &Path,
    components: &[PathBuf],
) -> Result<()> {
    let (package, name) = EVALUATOR;
    let module = modules.join(format!("{}.wasm", package.replace('-', "_")));
    // In a separate folder, because every file next to the plugins counts as a plugin.
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

/// Returns whether a file is newer than all of its sources.
pub(crate) fn is_current(file: &Path, parts: &[&Path]) -> bool {
    let changed = |file: &Path| fs::metadata(file).and_then(|data| data.modified()).ok();
    changed(file).is_some_and(|made| {
        parts
            .iter()
            .all(|part| changed(part).is_some_and(|part| part < made))
    })
}

/// Removes files in the folder that belong to no plugin, such as a renamed one, because the runner
/// would embed them.
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

/// Returns the plugins' package names: the folders under `plugins/`.
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
            say::doing("compiling the plugins with Debian's rustc-web and its standard library");
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
    // A separate folder, because Debian's compiler and rustup's would otherwise invalidate each
    // other's build.
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
                "rustup can't add it ({why}); using Debian's rustc-web instead"
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
            "the linker {} is missing; install it with `rustup component add rust-std`",
            linker.display()
        ))
    }
}
