//! Compiling a stranger's component: in a process of its own, within limits of time and memory.
//!
//! The compiler can't be interrupted, and a component can make it use any amount of time, memory
//! and stack. So the runner starts its own program once more, as a child that limits itself before
//! it reads a byte, gets the component on its standard input, and writes the compiled code to a
//! file without a name.

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

/// How long compiling takes before the user is told.
const SILENT: Duration = Duration::from_secs(1);
/// The most threads that compile. Each takes memory for its stack and its allocations.
const MAX_THREADS: usize = 4;
/// How much of what the child says is read.
const MAX_SAID: u64 = 16 << 10;

/// How components are compiled.
#[derive(Debug, Clone, Default)]
pub enum Compiler {
    /// In this process, without limits: for components of one's own, in builds and tests.
    #[default]
    Here,
    /// In a process of its own.
    Apart(Apart),
}

/// A process that compiles one component.
#[derive(Debug, Clone)]
pub struct Apart {
    /// The program, whose `main` calls [`compile_if_asked`](crate::compile_if_asked) first.
    pub program: PathBuf,
    /// What compiling one component may take.
    pub limits: CompileLimits,
    /// Is called when compiling takes longer than a second.
    pub notice: Notice,
}

/// What compiling one component may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Processor time of all its threads; counted in whole seconds, at least one.
    pub time: Duration,
    /// Bytes of address space beyond what the program itself takes.
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

/// Tells the user what is being compiled.
#[derive(Clone)]
pub struct Notice(Arc<dyn Fn(Compiling<'_>) + Send + Sync>);

/// What is being compiled.
#[derive(Debug, Clone, Copy)]
pub struct Compiling<'a> {
    /// The plugin, as the pipeline or its own manifest names it: a stranger's text.
    pub name: &'a str,
    /// Its size in bytes.
    pub size: usize,
}

impl Notice {
    /// Makes a notice of a function.
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
    /// Returns the component's code. `scratch` is a folder for files that are gone when this
    /// process is.
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
                if waits.recv_timeout(SILENT) == Err(RecvTimeoutError::Timeout) {
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
            // It needs nothing of the environment, secrets least of all.
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
            // A child that ended early says why; that it did not read on does not.
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
        format!("the process that compiles it can't be run: {error}"),
    )
    .with_help("the runner starts itself from /proc/self/exe, and needs room for a temporary file")
}
