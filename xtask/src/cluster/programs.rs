//! What a cluster runs: Kubernetes and etcd, built from the Go module proxy, and Debian's containerd
//! and runc. All of it lies in one cache outside the checkout.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cache::cache;
use super::{Extent, digest, packages, unused};
use crate::{Result, cargo, say, tools};

/// The version that `cluster/go.mod` requires.
const VERSION: &str = "1.36.3";
/// The files that the Go program is built from.
const SOURCES: [&str; 6] = [
    "go.mod",
    "go.sum",
    "image.go",
    "keys.go",
    "main.go",
    "pause/main.go",
];
/// The names by which the one program is started.
const NAMES: [&str; 8] = [
    "cluster-image",
    "cluster-keys",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kubelet",
];

/// How the Go program is built.
const GO_BUILD: [&str; 4] = ["build", "-trimpath", "-buildvcs=false", "-mod=readonly"];

/// Where the programs of a cluster are.
#[derive(Clone)]
pub(super) struct Programs {
    kubernetes: PathBuf,
    packages: PathBuf,
}

impl Programs {
    /// Returns the places of the programs that are built from the present sources, whether or not
    /// they have been built.
    pub(super) fn of_sources() -> Result<Self> {
        Ok(Self {
            kubernetes: cache().join(format!("kubernetes-{VERSION}-{}", fingerprint()?)),
            packages: packages::folder()?,
        })
    }

    /// Returns the folder of the programs of Kubernetes.
    pub(super) fn kubernetes(&self) -> &Path {
        &self.kubernetes
    }

    /// Returns a folder of the Debian packages.
    pub(super) fn package(&self, folder: &str) -> PathBuf {
        self.packages.join(folder)
    }

    /// Returns an image that `ctr` can import.
    pub(super) fn image(&self, name: &str) -> PathBuf {
        self.kubernetes.join("images").join(format!("{name}.tar"))
    }

    /// Returns the `PATH` of the parts, with the programs of the machine last.
    pub(super) fn path(&self) -> String {
        let ours = [
            self.kubernetes.clone(),
            self.package("usr/bin"),
            self.package("usr/sbin"),
        ];
        let ours: Vec<String> = ours
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        let machine = env::var("PATH").unwrap_or_default();
        format!("{}:{machine}:/usr/sbin:/sbin", ours.join(":"))
    }

    /// Returns a command of Kubernetes.
    pub(super) fn command(&self, name: &str) -> Command {
        Command::new(self.kubernetes.join(name))
    }

    /// Notes that the programs are used.
    fn touch(&self) {
        for folder in [&self.kubernetes, &self.packages] {
            unused::touch(folder);
        }
    }

    fn is_built(&self, extent: Extent) -> bool {
        let kubernetes = self.kubernetes.join("kubelet").exists();
        kubernetes
            && (extent == Extent::Api || (self.packages.exists() && self.image("busybox").exists()))
    }
}

/// Builds the programs that are not in the cache, and returns where they are. A second call waits
/// for the first.
pub(super) fn build(extent: Extent) -> Result<Programs> {
    let programs = Programs::of_sources()?;
    if programs.is_built(extent) {
        programs.touch();
        return Ok(programs);
    }
    let cache = cache();
    fs::create_dir_all(&cache)
        .map_err(|error| format!("cannot create {}: {error}", cache.display()))?;
    let lock = cache.join("lock");
    let _held = File::create(&lock)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| format!("cannot lock {}: {error}", lock.display()))?;
    if !programs.kubernetes.exists() {
        build_kubernetes(&programs)?;
    }
    if extent == Extent::Node {
        packages::get(&programs.packages)?;
        images(&programs)?;
    }
    programs.touch();
    unused::sweep(&cache);
    Ok(programs)
}

/// Returns an error if programs of a cluster are not in the cache.
pub(super) fn check(extent: Extent) -> Result<()> {
    if Programs::of_sources()?.is_built(extent) {
        return Ok(());
    }
    Err(
        "the programs of a cluster are not built; build them with\ncargo xtask cluster build"
            .to_owned(),
    )
}

fn source() -> PathBuf {
    cargo::root().join("xtask").join("cluster")
}

/// Returns a text that changes with the sources, the names of the program and the way it is built.
fn fingerprint() -> Result<String> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for name in SOURCES {
        let path = source().join(name);
        let text =
            fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        parts.push(text);
    }
    let texts = NAMES.iter().chain(&GO_BUILD).copied().map(str::to_owned);
    parts.extend(texts.chain([ld_flags()]).map(String::into_bytes));
    digest::of(&parts)
}

/// Returns the flags of the linker: no symbols, and the version that the programs report.
fn ld_flags() -> String {
    let stamp = "-X k8s.io/component-base/version.git";
    format!("-s -w {stamp}Version=v{VERSION} {stamp}Major=1 {stamp}Minor=36")
}

fn build_kubernetes(programs: &Programs) -> Result<()> {
    say::beside(&format!(
        "building Kubernetes {VERSION} for the tests, once: about 5 minutes on 2 cores"
    ));
    // Renamed when it is whole, so that a killed build leaves nothing that looks built.
    let unfinished = programs.kubernetes.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    go_build(&unfinished.join("kubernetes"), ".")?;
    go_build(&unfinished.join("pause"), "./pause")?;
    for name in NAMES {
        let link = unfinished.join(name);
        std::os::unix::fs::symlink("kubernetes", &link)
            .map_err(|error| format!("cannot link {}: {error}", link.display()))?;
    }
    fs::rename(&unfinished, &programs.kubernetes)
        .map_err(|error| format!("cannot rename {}: {error}", unfinished.display()))
}

fn go_build(program: &Path, package: &str) -> Result<()> {
    // The Go project's own checksum database vouches for modules; go.sum pins what it said.
    let mut go = Command::new("nice");
    go.args(["-n", "10", "go"])
        .args(GO_BUILD)
        .args(["-ldflags", &ld_flags()])
        .arg("-o")
        .arg(program)
        .arg(package)
        .current_dir(source())
        .env("PATH", tools::path())
        .env("CGO_ENABLED", "0");
    cargo::output(&mut go).map(drop).map_err(|why| {
        format!("{why}\n(Go 1.21 or newer builds it, and gets the version it needs)")
    })
}

/// Makes the images of the node without a container engine.
fn images(programs: &Programs) -> Result<()> {
    let pause = programs.kubernetes.join("pause");
    image(programs, "pause", &["/pause"], |root| {
        copy(&pause, &root.join("pause"))
    })?;
    let busybox = programs.package("bin/busybox");
    image(programs, "busybox", &["sh"], |root| {
        for folder in ["bin", "tmp", "etc"] {
            fs::create_dir_all(root.join(folder)).map_err(|error| error.to_string())?;
        }
        copy(&busybox, &root.join("bin/busybox"))?;
        for name in cargo::output(Command::new(&busybox).arg("--list"))?.lines() {
            // Busybox lists itself as well.
            let _ = std::os::unix::fs::symlink("busybox", root.join("bin").join(name));
        }
        Ok(())
    })
}

/// Makes an image from the folder that `fill` fills, unless it exists.
fn image(
    programs: &Programs,
    name: &str,
    command: &[&str],
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let file = programs.image(name);
    if file.exists() {
        return Ok(());
    }
    let root = file.with_extension("root");
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root)
        .map_err(|error| format!("cannot create {}: {error}", root.display()))?;
    fill(&root).map_err(|why| format!("cannot make the image {name}: {why}"))?;
    let unfinished = file.with_extension("unfinished");
    write_image(programs, &unfinished, name, &root, command)?;
    fs::rename(&unfinished, &file)
        .and_then(|()| fs::remove_dir_all(&root))
        .map_err(|error| format!("cannot finish {}: {error}", file.display()))
}

/// Writes a folder as the image of a name.
pub(super) fn write_image(
    programs: &Programs,
    file: &Path,
    name: &str,
    root: &Path,
    command: &[&str],
) -> Result<()> {
    let mut make = programs.command("cluster-image");
    make.arg(file)
        .arg(format!("sidestep.test/{name}:1"))
        .arg(root)
        .args(command);
    cargo::output(&mut make).map(drop)
}

/// Copies a file into a folder that may not exist.
pub(super) fn copy_into(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    copy(from, to)
}

pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .map(drop)
        .map_err(|error| format!("cannot copy {}: {error}", from.display()))
}
