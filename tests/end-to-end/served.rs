//! `sidestep sandbox` in the foreground, and third-party clients in a shell with its exports.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::setup::Setup;

/// A sandbox that a terminal serves. It is ended when this value is dropped.
pub(crate) struct Served {
    pub(crate) setup: Setup,
    child: Child,
    /// The text for people.
    pub(crate) welcome: String,
    /// The text for a shell.
    pub(crate) exports: String,
}

/// A shell with a sandbox's exports, and none of this machine's settings.
pub(crate) struct Shell<'a> {
    setup: &'a Setup,
    pub(crate) exports: Vec<(String, String)>,
}

impl Served {
    /// Serves the healthy scenario in a new place.
    pub(crate) fn new() -> Self {
        Self::with(Setup::new(), &["sandbox"])
    }

    /// Serves with these arguments, and waits until the sandbox reports that it is live.
    pub(crate) fn with(mut setup: Setup, arguments: &[&str]) -> Self {
        let mut child = setup.start(arguments);
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut welcome = String::new();
        while !welcome.contains("--proxy") {
            let read = errors.read_line(&mut welcome).unwrap();
            assert!(read > 0, "it did not come up: {welcome}");
        }
        // It keeps writing there, so the pipe must stay open.
        std::thread::spawn(move || errors.read_to_end(&mut Vec::new()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut exports = String::new();
        while !exports.contains("SIDESTEP_ENDPOINT_STS=") {
            exports += &(lines.next().expect("more exports").unwrap() + "\n");
        }
        Self {
            setup,
            child,
            welcome,
            exports,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Kills it as if the machine had failed (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Returns a shell with the output of `sandbox status --output env` and more arguments.
    pub(crate) fn shell(&mut self, more: &[&str]) -> Shell<'_> {
        let mut arguments = vec!["sandbox", "status", "--output", "env"];
        arguments.extend(more);
        let output = self.setup.run(&arguments);
        let exports = parse(&said(&output));
        Shell {
            setup: &self.setup,
            exports,
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn parse(text: &str) -> Vec<(String, String)> {
    let parse = |line: &str| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('\'').to_owned()))
    };
    text.lines().map(|line| parse(line).expect(line)).collect()
}

impl Shell<'_> {
    /// Returns the value of an export.
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.exports.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no export {name}")).1
    }

    /// Changes the value of an export.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let found = self.exports.iter_mut().find(|(known, _)| known == name);
        value.clone_into(&mut found.unwrap_or_else(|| panic!("no export {name}")).1);
    }

    /// Returns the command of a line whose words contain no spaces, not yet started.
    pub(crate) fn command(&self, line: &str) -> Command {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .current_dir(self.setup.workspace())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.setup.workspace())
            .env("CLOUDSDK_CONFIG", self.setup.workspace().join("gcloud"))
            .envs(self.exports.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// Returns the output of a command that succeeds.
    pub(crate) fn ok(&self, line: &str) -> String {
        let output = self.run(line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns the JSON output of a gcloud or kubectl command that succeeds.
    pub(crate) fn json(&self, line: &str) -> Value {
        let flag = if line.starts_with("kubectl") {
            "-o json"
        } else {
            "--format json"
        };
        let text = self.ok(&format!("{line} {flag}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
    }

    /// Returns the output of a command that fails.
    pub(crate) fn refused(&self, line: &str) -> String {
        let output = self.run(line);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{line} succeeded");
        text
    }

    /// Returns the output of a command that succeeds, given this standard input.
    pub(crate) fn given(&self, line: &str, input: &str) -> String {
        let mut child = self
            .command(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        said(&child.wait_with_output().unwrap())
    }
}

/// Returns the output of a command that succeeded.
pub(crate) fn said(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}
