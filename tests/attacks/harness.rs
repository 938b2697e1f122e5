//! Runs the command in a place of its own, within limits of memory, time and disk.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::setup::Setup;

/// The resources that a command may use. The test fails if it uses more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Peak resident memory in bytes. The kernel refuses private memory beyond four times as much
    /// (`RLIMIT_DATA`), so that a successful attack harms only the test.
    pub(crate) memory: u64,
    /// Wall time: a ceiling of at least ten times the usual, after which the command is killed.
    pub(crate) time: Duration,
    /// Bytes of all files in the place afterwards, without those that the test wrote. The kernel
    /// refuses files of more than four times as much (`RLIMIT_FSIZE`).
    pub(crate) disk: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            time: Duration::from_mins(1),
            disk: 64 << 20,
        }
    }
}

/// A workspace with the attacking plugin as `attacker.wasm`.
pub(crate) struct Arena {
    pub(crate) setup: Setup,
}

impl Arena {
    pub(crate) fn new() -> Self {
        let setup = Setup::new();
        let component = setup.workspace().join("attacker.wasm");
        fs::copy(guest(), component).expect("the plugin is copied");
        Self { setup }
    }

    /// Writes `sidestep.yaml`: the step `attack` with these inputs, and the step `next`, which runs
    /// whatever the outcome of `attack`. `inputs` are lines of YAML.
    pub(crate) fn attack(&self, inputs: &str) {
        self.attack_with(inputs, "");
    }

    /// Like [`attack`](Self::attack), with more keys of the step, such as `grants: …` and `timeout:
    /// …`, one per line.
    pub(crate) fn attack_with(&self, inputs: &str, keys: &str) {
        let pipeline = format!(
            "version: 1\nname: arena\nsteps:\n  attack:\n    uses: ./attacker.wasm\n    with:\n{}{}  \
             next:\n    needs: [attack]\n    if: \"always()\"\n    uses: ./attacker.wasm\n    \
             with: {{ act: honest.answer }}\n",
            indented(inputs, 6),
            indented(keys, 4),
        );
        self.setup.write("sidestep.yaml", &pipeline);
    }

    /// Runs the command to its end, within the bounds.
    pub(crate) fn run(&mut self, arguments: &[&str], bounds: Bounds) -> Outcome {
        let command = self.setup.command(arguments);
        self.run_command(command, bounds)
    }

    /// Like [`run`](Self::run), for a command from `Setup::command` that the test has changed.
    pub(crate) fn run_command(&self, command: Command, bounds: Bounds) -> Outcome {
        self.run_beside(command, bounds, |_| ())
    }

    /// Like [`run_command`](Self::run_command). `beside` receives the process id once the process
    /// has started.
    pub(crate) fn run_beside(
        &self,
        command: Command,
        bounds: Bounds,
        beside: impl FnOnce(u32),
    ) -> Outcome {
        let before = size(self.setup.folder());
        let started = Instant::now();
        let mut child = limited(&command, bounds)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("prlimit is there (util-linux)");
        let stdout = drain(child.stdout.take().expect("piped"));
        let stderr = drain(child.stderr.take().expect("piped"));
        beside(child.id());
        let (code, memory) = watch(&mut child, started, bounds);
        let outcome = Outcome {
            code,
            stdout: stdout.join().expect("read"),
            stderr: stderr.join().expect("read"),
            memory,
            time: started.elapsed(),
            disk: size(self.setup.folder()).saturating_sub(before),
        };
        assert!(
            outcome.time < bounds.time,
            "killed after {:?}: {outcome}",
            bounds.time
        );
        assert!(
            outcome.memory <= bounds.memory,
            "too much memory: {outcome}"
        );
        assert!(outcome.disk <= bounds.disk, "too much disk: {outcome}");
        assert!(
            !outcome.stderr.contains("panicked at"),
            "the runner panicked: {outcome}"
        );
        outcome
    }
}

/// The result of a command, and the resources that it used.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit code, or `None` if a signal ended the command.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Peak resident memory in bytes.
    pub(crate) memory: u64,
    pub(crate) time: Duration,
    /// Bytes in the files that it left.
    pub(crate) disk: u64,
}

impl Outcome {
    /// Returns the output that a person sees: standard error, then standard output.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stderr, self.stdout)
    }

    /// Asserts that the runner continued with the step after the attack, and that this step
    /// succeeded.
    pub(crate) fn assert_next_step_ran(&self) {
        let said = self.said();
        let line = said.lines().find(|line| line.starts_with("✓ next"));
        assert!(line.is_some(), "the next step did not succeed: {self}");
    }

    /// Asserts that the command's output does not contain this text.
    pub(crate) fn assert_hides(&self, text: &str) {
        assert!(!self.said().contains(text), "{text:?} got out: {self}");
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| text.chars().take(8_000).collect::<String>();
        writeln!(
            f,
            "exit {:?} after {:?}, {} MiB of memory, {} KiB of disk",
            self.code,
            self.time,
            self.memory >> 20,
            self.disk >> 10
        )?;
        write!(f, "{}\n{}", shown(&self.stderr), shown(&self.stdout))
    }
}

/// Returns the attacking plugin, which `cargo xtask test` builds.
pub(crate) fn guest() -> PathBuf {
    let guests =
        std::env::var_os("SIDESTEP_TEST_GUESTS").expect("the tests are run by `cargo xtask test`");
    Path::new(&guests).join("attacker.wasm")
}

fn indented(lines: &str, by: usize) -> String {
    let line = |line: &str| format!("{:by$}{line}\n", "");
    lines.lines().map(line).collect()
}

/// Returns the same command behind `prlimit`, which sets the limits and then executes the command.
fn limited(command: &Command, bounds: Bounds) -> Command {
    let mut limited = Command::new("/usr/bin/prlimit");
    limited
        .arg(format!("--data={}", bounds.memory * 4))
        .arg(format!("--fsize={}", bounds.disk * 4))
        .arg("--core=0")
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            limited.env(name, value);
        }
    }
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    limited
}

/// Reads a pipe to its end. Invalid UTF-8 is replaced.
fn drain(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("a pipe");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits for the command to exit, or kills it after its time limit. Returns its exit code, and the
/// highest observed peak of resident memory in bytes.
fn watch(child: &mut Child, started: Instant, bounds: Bounds) -> (Option<i32>, u64) {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        // VmHWM only grows, so the last reading before the exit misses little.
        peak = peak.max(high_water(&status).unwrap_or(0));
        if let Some(status) = child.try_wait().expect("a child") {
            return (status.code(), peak);
        }
        if started.elapsed() >= bounds.time {
            child.kill().expect("a child");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn high_water(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// Returns the bytes of all files below a folder. Links are not followed.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => size(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}
