//! Checks whether this machine can run a cluster, and says precisely what is missing.

use std::env;
use std::process::Command;

use super::cache::cache;
use super::{Extent, cgroups, mounts};
use crate::{Result, cargo, tools};

/// Commands that set up namespaces, and the Debian package of each.
const COMMANDS: [(&str, &str); 4] = [
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("mount", "mount"),
    ("ip", "iproute2"),
];

/// Returns the reason why this machine cannot run a cluster of that extent.
pub(super) fn check(extent: Extent) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Err(
            "a cluster needs root: it makes network, mount and process namespaces, and cgroups"
                .to_owned(),
        );
    }
    let path = tools::search_path_of_machine();
    for (program, package) in COMMANDS {
        if tools::find(program, &path).is_none() {
            tools::apt_install(&[package], "sets up the namespaces of a test cluster")
                .map_err(|why| format!("a cluster needs `{program}`: {why}"))?;
        }
    }
    let namespaces = [
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--mount-proc",
        "true",
    ];
    cargo::output(Command::new("unshare").args(namespaces))
        .map_err(|why| format!("this machine allows no new namespaces: {why}"))?;
    if extent == Extent::Node {
        for folder in [cache(), env::temp_dir()] {
            if let Some(covered) = mounts::covered(&folder) {
                return Err(format!(
                    "a node covers /{covered}, so its files cannot be in {}: set XDG_CACHE_HOME and TMPDIR to other folders",
                    folder.display()
                ));
            }
        }
        // The kernel may allow namespaces and still refuse these, as some container runtimes do.
        let bridge = ["--net", "ip", "link", "add", "cni0", "type", "bridge"];
        cargo::output(Command::new("unshare").args(bridge))
            .map_err(|why| format!("this machine allows no network bridge: {why}"))?;
        let name = cgroups::create()?;
        cgroups::remove(&name);
    }
    Ok(())
}
