//! A minimal container: runc, one static program, no image to pull, no network to set up.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::bench::workbench::{self, Workbench};
use crate::{Result, tools};

/// A bundle that runs one command.
pub(crate) struct Container {
    folder: PathBuf,
    name: &'static str,
}

impl Container {
    /// Creates a bundle whose process is busybox, with the first word as its applet.
    pub(crate) fn make(bench: &Workbench, name: &'static str, words: &[&str]) -> Result<Self> {
        let folder = bench.folder.join(name);
        let programs = folder.join("rootfs/bin");
        let busybox = tools::find("busybox", &bench.path).ok_or("busybox is not installed")?;
        let wrong = |error: std::io::Error| format!("cannot make {}: {error}", folder.display());
        fs::create_dir_all(&programs).map_err(wrong)?;
        fs::copy(busybox, programs.join(words[0])).map_err(wrong)?;
        workbench::printed({
            let mut spec = bench.command("runc");
            spec.arg("spec").current_dir(&folder);
            spec
        })?;
        let config = folder.join("config.json");
        let arguments = words.join("\", \"");
        let text = fs::read_to_string(&config)
            .map_err(wrong)?
            .replace("\"terminal\": true", "\"terminal\": false")
            .replace("\"sh\"", &format!("\"{arguments}\""));
        fs::write(&config, text).map_err(wrong)?;
        Ok(Self { folder, name })
    }

    /// Returns the command that starts the container, waits for its end and removes it.
    pub(crate) fn run(&self, bench: &Workbench) -> Command {
        let mut command = bench.command("runc");
        command
            // Keep its state next to its bundle, on the same kind of disk.
            .arg("--root")
            .arg(self.folder.join("state"))
            .args(["run", &format!("sidestep-bench-{}", self.name)])
            .current_dir(&self.folder);
        command
    }
}
