//! The measuring environment: a folder with its own pipelines, plugins and state.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::profile::Profile;
use crate::{Result, cargo, guests};

/// The measured guests: the package, and the file name in pipelines.
const GUESTS: [(&str, &str); 2] = [
    ("sidestep-guest-noop", "noop"),
    ("sidestep-guest-caller", "caller"),
];

/// A folder to measure in, and the runner.
pub(crate) struct Workbench {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// The search path with the programs to compare with.
    pub(crate) path: String,
    runner: PathBuf,
}

impl Workbench {
    /// Creates the folder with only the guests, as components.
    pub(crate) fn make(runner: PathBuf, path: String) -> Result<Self> {
        let folder = cargo::target_dir().join("bench");
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("cannot empty {}: {error}", folder.display()))?;
        }
        fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let modules = guests::compile(&GUESTS.map(|(package, _)| package.to_owned()))?;
        for (package, name) in GUESTS {
            let module = modules.join(format!("{}.wasm", package.replace('-', "_")));
            let component = folder.join(format!("{name}.wasm"));
            guests::component(Profile::Release, &module, &component)?;
        }
        Ok(Self {
            folder,
            path,
            runner,
        })
    }

    /// Returns the same runner and guests in another folder.
    pub(crate) fn within(&self, folder: &Path) -> Result<Self> {
        for (_, name) in GUESTS {
            let component = format!("{name}.wasm");
            let to = folder.join(&component);
            fs::copy(self.folder.join(&component), &to)
                .map_err(|error| format!("cannot write {}: {error}", to.display()))?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            path: self.path.clone(),
            runner: self.runner.clone(),
        })
    }

    /// Returns the runner's path.
    pub(crate) fn runner(&self) -> &Path {
        &self.runner
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let file = self.folder.join(name);
        fs::write(&file, text)
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        Ok(file)
    }

    /// Returns a command that runs in the folder, without output.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(&self.folder)
            .env("PATH", &self.path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Returns the runner, with its state and caches in the folder, and without any CI that it
    /// could detect.
    pub(crate) fn sidestep(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&self.runner);
        command
            .args(arguments)
            .env("XDG_STATE_HOME", self.folder.join("state"))
            .env("XDG_CACHE_HOME", self.folder.join("cache"))
            .env("XDG_CONFIG_HOME", self.folder.join("config"));
        for name in ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE"] {
            command.env_remove(name);
        }
        command
    }
}

/// Returns how long the command takes to finish, or an error if it fails.
pub(crate) fn to_end(mut command: Command) -> Result<Duration> {
    let started = Instant::now();
    let status = command.status().map_err(|error| failed(&command, &error))?;
    let took = started.elapsed();
    if status.success() {
        Ok(took)
    } else {
        Err(failed(&command, &status))
    }
}

/// Returns how long the command takes to write a line that contains the text.
pub(crate) fn to_line(mut command: Command, text: &str) -> Result<Duration> {
    let started = Instant::now();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&command, &error))?;
    let output = child.stdout.take().expect("it was asked for above");
    let mut took = None;
    for line in BufReader::new(output).lines() {
        let line = line.map_err(|error| failed(&command, &error))?;
        if took.is_none() && line.contains(text) {
            took = Some(started.elapsed());
        }
    }
    let status = child.wait().map_err(|error| failed(&command, &error))?;
    match took {
        Some(took) if status.success() => Ok(took),
        _ => Err(failed(&command, &status)),
    }
}

/// Returns the command's output, or an error if it fails.
pub(crate) fn printed(mut command: Command) -> Result<String> {
    cargo::output(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

fn failed(command: &Command, why: &dyn std::fmt::Display) -> String {
    format!("{} failed: {why}", command.get_program().display())
}
