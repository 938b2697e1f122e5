//! Compiles an untrusted component in a separate process, within limits of time and memory.
//!
//! The compiler can't be interrupted, and a component can make it use any amount of time, memory
//! and stack. So the runner starts its own program again, as a child process. The child limits
//! itself before it reads anything, gets the component on its standard input, and writes the
//! compiled code to an unnamed file.

pub(crate) mod child;
mod ending;

use std::fmt;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use sidestep_catalog::PluginError;
use sidestep_events::codes;
use wasmtime::Engine;

/// The maximum number of threads that compile. Each takes memory for its stack and its allocations.
const MAX_THREADS: usize = 4;
/// The maximum number of bytes of the child's standard error that are read.
const MAX_SAID: u64 = 16 << 10;

/// The way in which components are compiled.
#[derive(Debug, Clone, Default)]
pub enum Compiler {
    /// In this process, without limits: for trusted components, in builds and tests.
    #[default]
    Here,
    /// In a separate process.
    Apart(Apart),
}

/// A separate process that compiles one component.
#[derive(Debug, Clone)]
pub struct Apart {
    /// The program, whose `main` calls [`compile_if_asked`](crate::compile_if_asked) first.
    pub program: PathBuf,
    /// The limits on compiling one component.
    pub limits: CompileLimits,
    /// Called when compiling takes longer than `silent`.
    pub notice: Notice,
    /// The compile time without a notice.
    pub silent: Duration,
}

impl Apart {
    /// The compile time after which a person is usually notified.
    pub const SILENT: Duration = Duration::from_secs(1);
}

/// The limits on compiling one component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// The CPU time of all threads, in whole seconds; at least one second.
    pub time: Duration,
    /// Bytes of address space beyond those of the program itself.
    pub memory: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_mins(1),
            memory: 1 << 30,
        }
    }
}

/// Notifies the user of a slow compilation.
#[derive(Clone)]
pub struct Notice(Arc<dyn Fn(Compiling<'_>) + Send + Sync>);

/// The component that is being compiled.
#[derive(Debug, Clone, Copy)]
pub struct Compiling<'a> {
    /// The plugin's name according to the pipeline or its own manifest. It is untrusted text.
    pub name: &'a str,
    /// The component's size in bytes.
    pub size: usize,
}

impl Notice {
    /// Creates a notice from a function.
    pub fn new(tell: impl Fn(Compiling<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notice")
    }
}

impl Compiler {
    /// Returns the component's code. `scratch` is a folder for temporary files, which are gone when
    /// this process ends.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        bytes: &[u8],
        name: &str,
        scratch: Option<&Path>,
    ) -> Result<Vec<u8>, PluginError> {
        match self {
            Self::Here => child::compile(engine, bytes),
            Self::Apart(apart) => apart.compile(bytes, name, scratch),
        }
    }
}

impl Apart {
    fn compile(
        &self,
        bytes: &[u8],
        name: &str,
        scratch: Option<&Path>,
    ) -> Result<Vec<u8>, PluginError> {
        let mut code = match scratch {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        }
        .map_err(cannot_start)?;
        let (status, said) = std::thread::scope(|scope| {
            let (_ended, waits) = channel::<()>();
            scope.spawn(move || {
                if waits.recv_timeout(self.silent) == Err(RecvTimeoutError::Timeout) {
                    let size = bytes.len();
                    (self.notice.0)(Compiling { name, size });
                }
            });
            self.run(bytes, code.try_clone()?)
        })
        .map_err(cannot_start)?;
        ending::judge(status, &said, self.limits)?;
        let mut whole = Vec::new();
        code.rewind()
            .and_then(|()| code.read_to_end(&mut whole))
            .map_err(cannot_start)?;
        Ok(whole)
    }

    /// Runs the child to its end, on this thread: the child ends with the thread that started it.
    fn run(&self, bytes: &[u8], code: std::fs::File) -> std::io::Result<(ExitStatus, String)> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut child = Command::new(&self.program)
            .arg(child::ASKED)
            .arg(self.limits.memory.to_string())
            .arg(self.limits.time.as_secs().max(1).to_string())
            .arg(std::process::id().to_string())
            // The child needs nothing from the environment, and must not see its secrets.
            .env_clear()
            .env("RAYON_NUM_THREADS", threads.min(MAX_THREADS).to_string())
            // glibc reserves 64 MiB of address space for each arena.
            .env("MALLOC_ARENA_MAX", "2")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(code)
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // If the child ended early, its own message says why; a write error here does not.
            let _ = stdin.write_all(bytes);
        }
        let mut said = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            stderr.take(MAX_SAID).read_to_end(&mut said)?;
        }
        let status = child.wait()?;
        Ok((status, String::from_utf8_lossy(&said).into_owned()))
    }
}

fn cannot_start(error: std::io::Error) -> PluginError {
    PluginError::new(
        codes::plugin::HOST,
        format!("the compiling process can't be started: {error}"),
    )
    .with_help(
        "the runner starts itself from /proc/self/exe, and needs disk space for a temporary file",
    )
}
