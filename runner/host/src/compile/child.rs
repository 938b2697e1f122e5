//! The child process that compiles.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getppid, getrlimit, set_parent_process_death_signal, setrlimit,
};
use sidestep_catalog::{MAX_COMPONENT, PluginError};
use sidestep_events::codes;
use wasmtime::Engine;

/// The first argument of a process that is started to compile.
pub(super) const ASKED: &str = "__compile";
/// The maximum size of compiled code, in bytes.
pub(super) const MAX_CODE: u64 = 256 << 20;
/// The exit code for an invalid component; the reason is on standard error.
pub(super) const MALFORMED: u8 = 10;
/// The exit code of a process that could not start or could not write.
pub(super) const BAD_CALL: u8 = 11;

/// Compiles a component and returns the exit code, if this process was started to do so. Otherwise
/// returns `None`. Call it first in `main`.
///
/// The process limits itself before it reads the component from its standard input.
pub fn compile_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(ASKED) {
        return None;
    }
    let mut number = || arguments.next()?.parse::<u64>().ok();
    let (Some(memory), Some(seconds), Some(parent)) = (number(), number(), number()) else {
        return Some(ExitCode::from(BAD_CALL));
    };
    Some(match confine(memory, seconds, parent) {
        Ok(()) => perform(),
        Err(error) => {
            say(&error.to_string());
            ExitCode::from(BAD_CALL)
        }
    })
}

/// Limits this process, and makes it end with its parent.
fn confine(memory: u64, seconds: u64, parent: u64) -> std::io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // If the parent ended before that call, no signal is sent.
    let is = getppid().map(Pid::as_raw_nonzero);
    if is.map(|pid| u64::from(pid.get().unsigned_abs())) != Some(parent) {
        return Err(std::io::Error::other("the parent process is gone"));
    }
    lower(Resource::Core, 0)?;
    lower(Resource::Cpu, seconds)?;
    lower(Resource::Fsize, MAX_CODE)?;
    lower(Resource::As, own_size().saturating_add(memory))
}

/// Sets a limit that this process can't raise again. A lower existing limit stays.
fn lower(resource: Resource, to: u64) -> std::io::Result<()> {
    let most = getrlimit(resource).maximum.map_or(to, |most| most.min(to));
    // The signal at the soft limit of CPU time differs from the one at the hard limit, so the
    // parent can tell which limit was reached.
    let hard = match resource {
        Resource::Cpu => getrlimit(resource)
            .maximum
            .map_or(most + 1, |hard| hard.min(most + 1)),
        _ => most,
    };
    Ok(setrlimit(
        resource,
        Rlimit {
            current: Some(most),
            maximum: Some(hard),
        },
    )?)
}

/// Returns the bytes of address space that the program takes before it does anything.
fn own_size() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let size = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix("kB"));
    let kibibytes = size.and_then(|size| size.trim().parse::<u64>().ok());
    kibibytes.unwrap_or_default() << 10
}

/// Compiles standard input and writes the code out.
fn perform() -> ExitCode {
    let mut bytes = Vec::new();
    let read = std::io::stdin()
        .lock()
        .take(MAX_COMPONENT as u64 + 1)
        .read_to_end(&mut bytes);
    let engine = crate::engine::engine();
    let (Ok(_), Ok(engine)) = (read, engine) else {
        return ExitCode::from(BAD_CALL);
    };
    match compile(&engine, &bytes) {
        Ok(code) => match std::io::stdout().lock().write_all(&code) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                say(&error.to_string());
                ExitCode::from(BAD_CALL)
            }
        },
        Err(error) => {
            say(&error.message);
            ExitCode::from(MALFORMED)
        }
    }
}

/// Validates and compiles a component.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>, PluginError> {
    sidestep_catalog::validate(bytes)?;
    engine.precompile_component(bytes).map_err(|error| {
        PluginError::new(
            codes::plugin::MALFORMED,
            format!("it can't be compiled: {error:#}"),
        )
    })
}

/// Writes a message to the parent.
fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
