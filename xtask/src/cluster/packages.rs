//! Debian packages, unpacked into the cache and not installed: installing them would start services
//! on the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cache::cache;
use super::digest;
use crate::{Result, cargo, say};

/// The packages of a node. `apt-get` checks them against Debian's signed index.
const PACKAGES: [&str; 4] = [
    "busybox-static",
    "containerd",
    "containernetworking-plugins",
    "runc",
];

/// The file that describes the machine's release (os-release(5)).
const RELEASE: &str = "/etc/os-release";

/// Returns the folder into which the packages are unpacked: one for each list of packages and each
/// release of the machine.
pub(super) fn folder() -> Result<PathBuf> {
    // A machine without the file has no packages of Debian either.
    let release = fs::read_to_string(RELEASE).unwrap_or_default();
    folder_of(&PACKAGES, &release)
}

fn folder_of(packages: &[&str], release: &str) -> Result<PathBuf> {
    let mut parts: Vec<Vec<u8>> = vec![identity(release).into_bytes()];
    parts.extend(packages.iter().map(|name| name.as_bytes().to_vec()));
    Ok(cache().join(format!("debian-{}", digest::of(&parts)?)))
}

/// Returns the lines that name the release, without those that change within it.
fn identity(release: &str) -> String {
    let names = ["ID=", "VERSION_ID=", "VERSION_CODENAME="];
    let lines = release.lines();
    let named = lines.filter(|line| names.iter().any(|name| line.starts_with(name)));
    named.collect::<Vec<_>>().join("\n")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_package_is_another_folder() {
        let folder = |packages: &[&str], release: &str| folder_of(packages, release).expect("one");
        let trixie = "ID=debian\nVERSION_ID=\"13\"\nBUG_REPORT_URL=a\n";
        let same = "ID=debian\nVERSION_ID=\"13\"\nBUG_REPORT_URL=b\n";
        let forky = trixie.replace("13", "14");
        assert_eq!(folder(&["runc"], trixie), folder(&["runc"], same));
        assert_ne!(folder(&["runc"], trixie), folder(&["runc"], &forky));
        assert_ne!(folder(&["runc"], trixie), folder(&["runc", "tini"], trixie));
    }
}
