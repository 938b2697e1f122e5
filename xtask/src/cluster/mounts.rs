//! The mounts and the network of a cluster, in namespaces of their own.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Extent;
use super::cluster_folder::ClusterFolder;
use super::configuration::{GOOGLE_ADDRESS, METADATA_ADDRESS, NODE_ADDRESS, SERVICE_ADDRESS};
use crate::{Result, cargo};

/// Folders that the kubelet and containerd write to.
const WRITTEN: [&str; 3] = ["run", "var/lib", "var/log"];
/// Folders for data too deep for an overlay: containerd mounts overlays of its own in its folder.
const DEEP: [&str; 2] = ["/var/lib/containerd", "/var/lib/kubelet"];
/// Kernel settings that the kubelet would change for the whole machine, and the values it wants:
/// `setupKernelTunables` of its `container_manager_linux.go`.
const KERNEL: [(&str, &str); 6] = [
    ("kernel/keys/root_maxbytes", "25000000"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
];

/// Returns the folder of [`WRITTEN`] that this path lies in. The overlay would hide
/// the cluster's own file system in memory.
pub(super) fn covered(path: &Path) -> Option<&'static str> {
    // A link leads there as well. A folder that does not exist yet is judged by its name.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut written = WRITTEN.into_iter();
    written.find(|folder| real.starts_with(Path::new("/").join(folder)))
}

/// Sets up the namespaces of this process.
pub(super) fn set_up(place: &ClusterFolder, extent: Extent) -> Result<()> {
    run("mount", &["-t", "proc", "proc", "/proc"])?;
    let memory = place.memory();
    // The kubelet tells file systems apart by this name.
    run(
        "mount",
        &["-t", "tmpfs", "sidestep-cluster", &shown(&memory)],
    )?;
    run("ip", &["link", "set", "lo", "up"])?;
    let on_loopback = |address| {
        let address = format!("{address}/32");
        run("ip", &["address", "add", &address, "dev", "lo"])
    };
    on_loopback(SERVICE_ADDRESS)?;
    on_loopback(GOOGLE_ADDRESS)?;
    if extent == Extent::Api {
        return on_loopback(NODE_ADDRESS);
    }
    on_loopback(METADATA_ADDRESS)?;
    // Tests change it while containerd runs, so it is a file of the cluster's folder.
    let hosts = place.hosts();
    fs::copy("/etc/hosts", &hosts).map_err(|error| format!("cannot copy /etc/hosts: {error}"))?;
    run("mount", &["--bind", &shown(&hosts), "/etc/hosts"])?;
    // The machine's name server does not answer here, and a program such as gcloud waits 25 s for it.
    // Nothing listens at this one, so that a look-up fails at once.
    let resolver = memory.join("resolv.conf");
    ClusterFolder::write(&resolver, "nameserver 127.0.0.1\n")?;
    run("mount", &["--bind", &shown(&resolver), "/etc/resolv.conf"])?;
    for folder in WRITTEN {
        overlay(&memory, folder)?;
    }
    for folder in DEEP {
        let own = memory.join(folder.trim_start_matches('/').replace('/', "-"));
        for folder in [&own, Path::new(folder)] {
            create(folder)?;
        }
        run("mount", &["--bind", &shown(&own), folder])?;
    }
    for (setting, value) in KERNEL {
        let own = memory.join(setting.replace('/', "-"));
        ClusterFolder::write(&own, value)?;
        run(
            "mount",
            &["--bind", &shown(&own), &format!("/proc/sys/{setting}")],
        )?;
    }
    for arguments in [
        "link add cni0 type bridge".to_owned(),
        format!("address add {NODE_ADDRESS}/24 dev cni0"),
        "link set cni0 up".to_owned(),
        "route add default dev cni0".to_owned(),
    ] {
        run("ip", &arguments.split(' ').collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Takes the file system in memory away, before the folder is removed.
pub(super) fn leave(place: &ClusterFolder) {
    let _ = run("umount", &["--lazy", &shown(&place.memory())]);
}

/// Lays a folder in memory over one of the machine, which stays readable and is not written.
fn overlay(memory: &Path, folder: &str) -> Result<()> {
    let name = folder.replace('/', "-");
    let upper = memory.join(format!("{name}-upper"));
    let work = memory.join(format!("{name}-work"));
    create(&upper)?;
    create(&work)?;
    let target = format!("/{folder}");
    let options = format!(
        "lowerdir={target},upperdir={},workdir={}",
        shown(&upper),
        shown(&work)
    );
    run(
        "mount",
        &["-t", "overlay", "-o", &options, "overlay", &target],
    )
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot create {}: {error}", folder.display()))
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    cargo::output(Command::new(program).args(arguments)).map(drop)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_below_an_overlay_is_covered() {
        assert_eq!(covered(Path::new("/run/user/0/x")), Some("run"));
        assert_eq!(covered(Path::new("/var/lib/ci/.cache")), Some("var/lib"));
        for path in ["/tmp", "/home/ci/.cache", "/running", "/var/tmp"] {
            assert_eq!(covered(Path::new(path)), None, "{path}");
        }
    }
}
