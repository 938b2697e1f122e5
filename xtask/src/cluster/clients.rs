//! The image of Google's Python and Go clients, which the tests run in pods: the machine's own Python
//! with packages from the Python registry, and a static Go program. It is made without a container
//! engine, once for each version of its sources.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cache::cache;
use super::programs::{self, Programs};
use super::{digest, unused};
use crate::{Result, cargo, say, tools};

/// The files that the image is made from.
const SOURCES: [&str; 5] = [
    "go.mod",
    "go.sum",
    "main.go",
    "requirements.txt",
    "storage.py",
];
/// The folder of the Python packages and the program in the image.
const FOLDER: &str = "opt/clients";
/// The folders of Python's library that no client needs: tests, and the packages of the machine.
const UNUSED: [&str; 6] = [
    "__pycache__",
    "dist-packages",
    "ensurepip",
    "idlelib",
    "site-packages",
    "test",
];

/// Returns the archive of the image, if it has been made.
pub(super) fn image() -> Result<PathBuf> {
    let python = Python::of_machine()?;
    let file = folder(&python)?.join("clients.tar");
    if file.exists() {
        return Ok(file);
    }
    Err(
        "the image of Google's clients is not made; make it with\ncargo xtask cluster build"
            .to_owned(),
    )
}

/// Makes the image, unless it is in the cache. The programs of a cluster have been built.
pub(super) fn make(programs: &Programs) -> Result<()> {
    let python = Python::of_machine()?;
    let folder = folder(&python)?;
    if folder.exists() {
        unused::touch(&folder);
        return Ok(());
    }
    let lock = cache().join("clients.lock");
    let _held = File::create(&lock)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| format!("cannot lock {}: {error}", lock.display()))?;
    if folder.exists() {
        return Ok(());
    }
    say::beside("making an image of Google's Python and Go clients, once: about a minute");
    // Renamed when it is whole, so that a killed build leaves nothing that looks built.
    let unfinished = folder.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    let root = unfinished.join("root");
    let own = root.join(FOLDER);
    for folder in [own.join("packages"), root.join("tmp")] {
        fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    }
    install(&own.join("packages"))?;
    python.copy(&root)?;
    copy_shared_libraries(&python.program, &root)?;
    programs::copy(&source().join("storage.py"), &own.join("storage.py"))?;
    go_build(&own.join("storage"))?;
    programs::write_image(
        programs,
        &unfinished.join("clients.tar"),
        "clients",
        &root,
        &["false"],
    )?;
    fs::remove_dir_all(&root)
        .and_then(|()| fs::rename(&unfinished, &folder))
        .map_err(|error| format!("cannot finish {}: {error}", folder.display()))
}

fn source() -> PathBuf {
    cargo::root().join("xtask").join("clients")
}

/// Returns the folder of the image: another one for other sources, and for another Python.
fn folder(python: &Python) -> Result<PathBuf> {
    let mut parts = vec![python.version.clone().into_bytes()];
    for name in SOURCES {
        let path = source().join(name);
        let text = fs::read(&path);
        parts.push(text.map_err(|error| format!("cannot read {}: {error}", path.display()))?);
    }
    Ok(cache().join(format!("clients-{}", digest::of(&parts)?)))
}

/// Installs the packages, whose versions are pinned.
fn install(packages: &Path) -> Result<()> {
    let mut pip = Command::new("nice");
    pip.args(["-n", "10"])
        .arg(tools::python_with_pip()?)
        .args(["-m", "pip", "install", "--quiet", "--no-compile"])
        .args(["--only-binary", ":all:", "--no-deps", "--target"])
        .arg(packages)
        .arg("--requirement")
        .arg(source().join("requirements.txt"));
    cargo::output(&mut pip).map(drop)
}

/// Builds the Go program. The Go project's checksum database vouches for modules; go.sum pins what it
/// said.
fn go_build(program: &Path) -> Result<()> {
    let mut go = Command::new("nice");
    go.args(["-n", "10", "go", "build", "-trimpath", "-buildvcs=false"])
        .args(["-mod=readonly", "-ldflags", "-s -w", "-o"])
        .arg(program)
        .arg(".")
        .current_dir(source())
        .env("PATH", tools::path())
        .env("CGO_ENABLED", "0");
    cargo::output(&mut go).map(drop)
}

/// The Python of the machine: what a copy of it needs.
struct Python {
    version: String,
    program: PathBuf,
    library: PathBuf,
}

impl Python {
    /// Finds the Python that virtual environments of this machine are made from.
    fn of_machine() -> Result<Self> {
        let ask = "import os, sys, sysconfig\n\
                   print(sys.version.replace('\\n', ' '))\n\
                   print(os.path.realpath(sys._base_executable))\n\
                   print(sysconfig.get_path('stdlib'))";
        let said = cargo::output(Command::new("python3").args(["-c", ask]))?;
        match said.lines().collect::<Vec<_>>()[..] {
            [version, program, library] => Ok(Self {
                version: version.to_owned(),
                program: program.into(),
                library: library.into(),
            }),
            _ => Err(format!("python3 does not describe itself: {said}")),
        }
    }

    /// Copies the program and its library into a root, with the same paths. The program is linked as
    /// `/bin/python3`.
    fn copy(&self, root: &Path) -> Result<()> {
        copy_folder(&self.library, &inside(root, &self.library))?;
        programs::copy_into(&self.program, &inside(root, &self.program))?;
        let link = root.join("bin/python3");
        fs::create_dir_all(root.join("bin"))
            .and_then(|()| std::os::unix::fs::symlink(&self.program, &link))
            .map_err(|error| format!("cannot link {}: {error}", link.display()))
    }
}

fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Copies the loader and the shared libraries that a program and the modules in a root are linked
/// with.
fn copy_shared_libraries(program: &Path, root: &Path) -> Result<()> {
    let find = ["-name", "*.so", "-type", "f"];
    let modules = cargo::output(Command::new("find").arg(root).args(find))?;
    let linked = Command::new("ldd")
        .arg(program)
        .args(modules.lines())
        .output();
    // It fails for modules that are linked with what this machine does not have.
    let said = linked
        .map_err(|error| format!("cannot start ldd: {error}"))?
        .stdout;
    let said = String::from_utf8_lossy(&said);
    let libraries: BTreeSet<PathBuf> = said.lines().filter_map(library).collect();
    for library in libraries
        .iter()
        .filter(|library| !library.starts_with(root))
    {
        programs::copy_into(library, &inside(root, library))?;
    }
    Ok(())
}

/// Reads the path of a library in a line of ldd: `NAME => PATH (ADDRESS)` or `PATH (ADDRESS)`.
fn library(line: &str) -> Option<PathBuf> {
    let path = line.split_once(" => ").map_or(line, |(_, path)| path);
    let path = path.trim().split(" (0x").next()?;
    (line.starts_with('\t') && path.starts_with('/')).then(|| path.into())
}

/// Copies a folder of Python's library.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let error = |error| format!("cannot copy {}: {error}", from.display());
    for entry in fs::read_dir(from).map_err(error)? {
        let entry = entry.map_err(error)?;
        let (path, name) = (entry.path(), entry.file_name());
        if UNUSED.iter().any(|unused| name == *unused) {
            continue;
        }
        if path.is_dir() {
            copy_folder(&path, &to.join(name))?;
        } else if path.is_file() && path.extension().is_none_or(|end| end != "a") {
            programs::copy_into(&path, &to.join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_libraries_are_read() {
        let path = |line: &str| library(line).map(|path| path.display().to_string());
        assert_eq!(
            path("\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f40)").as_deref(),
            Some("/lib/x86_64-linux-gnu/libc.so.6")
        );
        assert_eq!(
            path("\t/lib64/ld-linux-x86-64.so.2 (0x00007f40)").as_deref(),
            Some("/lib64/ld-linux-x86-64.so.2")
        );
        for line in [
            "\tlinux-vdso.so.1 (0x00007f40)",
            "/usr/bin/python3:",
            "\tlibx.so => not found",
            "\tstatically linked",
        ] {
            assert_eq!(path(line), None, "{line}");
        }
    }
}
