//! Debian packages, unpacked into the cache and not installed: installing them would start services
//! on the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cache::cache;
use crate::{Result, cargo, say};

/// The packages of a node. `apt-get` checks them against Debian's signed index.
const PACKAGES: [&str; 4] = [
    "busybox-static",
    "containerd",
    "containernetworking-plugins",
    "runc",
];

/// Returns the folder into which the packages are unpacked.
pub(super) fn folder() -> PathBuf {
    cache().join("debian")
}

/// Downloads and unpacks the packages, unless the folder exists.
pub(super) fn get(folder: &Path) -> Result<()> {
    if folder.exists() {
        return Ok(());
    }
    say::beside(&format!("apt-get download {}", PACKAGES.join(" ")));
    let downloads = folder.with_extension("downloads");
    let unfinished = folder.with_extension("unfinished");
    for folder in [&downloads, &unfinished] {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder)
            .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    }
    let download = || {
        cargo::output(
            Command::new("apt-get")
                .args(["download", "-qq"])
                .args(PACKAGES)
                .current_dir(&downloads),
        )
    };
    // Package lists may be missing or old. The first attempt uses them unchanged.
    download()
        .or_else(|_| {
            cargo::output(Command::new("apt-get").args(["update", "-qq"]))?;
            download()
        })
        .map_err(|why| {
            format!("containerd, runc and the network plugins are Debian's packages: {why}")
        })?;
    let entries = fs::read_dir(&downloads)
        .map_err(|error| format!("cannot read {}: {error}", downloads.display()))?;
    for file in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        cargo::output(
            Command::new("dpkg-deb")
                .arg("--extract")
                .arg(file)
                .arg(&unfinished),
        )?;
    }
    fs::rename(&unfinished, folder)
        .and_then(|()| fs::remove_dir_all(&downloads))
        .map_err(|error| format!("cannot finish {}: {error}", folder.display()))
}
