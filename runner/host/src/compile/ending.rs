//! Interprets how a compiling process ended.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::Signal;
use sidestep_catalog::PluginError;
use sidestep_events::codes;

use super::CompileLimits;
use super::child::{BAD_CALL, MALFORMED, MAX_CODE};

/// Returns why there is no code, as an error, if compiling failed.
pub(super) fn judge(
    status: ExitStatus,
    said: &str,
    limits: CompileLimits,
) -> Result<(), PluginError> {
    if status.success() {
        return Ok(());
    }
    if status.code() == Some(MALFORMED.into()) {
        return Err(PluginError::new(codes::plugin::MALFORMED, said));
    }
    if status.code() == Some(BAD_CALL.into()) {
        return Err(PluginError::new(
            codes::plugin::HOST,
            format!("the compiling process failed: {said}"),
        ));
    }
    let is = |signal: Signal| status.signal() == Some(signal.as_raw());
    Err(if is(Signal::XCPU) {
        let seconds = limits.time.as_secs().max(1);
        at_limit(&format!("{seconds} s of CPU time"), Some("compileTime"))
    } else if ran_out_of_memory(status, said) {
        let mebibytes = limits.memory >> 20;
        at_limit(&format!("{mebibytes} MiB of memory"), Some("compileMemory"))
    } else if is(Signal::XFSZ) {
        at_limit(&format!("{} MiB of compiled code", MAX_CODE >> 20), None)
    } else {
        crashed(status)
    })
}

/// Returns whether the process ended because it could not allocate memory: the allocator aborts
/// with these words, and a thread pool panics when it gets no stack (EAGAIN, see
/// pthread_create(3)).
fn ran_out_of_memory(status: ExitStatus, said: &str) -> bool {
    let aborted = status.signal() == Some(Signal::ABORT.as_raw());
    let panicked = status.code() == Some(101);
    (aborted && said.contains("memory allocation of"))
        || (panicked && (said.contains("os error 11") || said.contains("os error 12")))
        || (panicked && said.contains("code: 11"))
}

fn at_limit(limit: &str, setting: Option<&str>) -> PluginError {
    let error = PluginError::new(
        codes::plugin::COMPILE_LIMIT,
        format!("compiling it takes more than {limit}"),
    )
    .with_help("use a smaller plugin, or split it into several");
    match setting {
        Some(setting) => error.with_help(format!(
            "if you trust it, raise `{setting}` in your own settings; `sidestep settings` prints them"
        )),
        None => error,
    }
}

fn crashed(status: ExitStatus) -> PluginError {
    PluginError::new(
        codes::plugin::COMPILE_CRASHED,
        format!("the compiler crashed on it ({status})"),
    )
    .with_help(
        "the plugin has not run; if you trust it, please report this with the component attached",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(raw: i32, said: &str) -> &'static str {
        let limits = CompileLimits::default();
        let judged = judge(ExitStatus::from_raw(raw), said, limits);
        judged.map_or_else(|error| error.code, |()| "fine")
    }

    #[test]
    fn each_end_is_told_apart() {
        let exit = |code: u8| i32::from(code) << 8;
        let words = "memory allocation of 64 bytes failed";
        assert_eq!(code(0, ""), "fine");
        assert_eq!(code(exit(MALFORMED), "why"), "plugin.malformed");
        assert_eq!(code(exit(BAD_CALL), "why"), "plugin.host");
        assert_eq!(code(Signal::XCPU.as_raw(), ""), "plugin.compile-limit");
        assert_eq!(code(Signal::XFSZ.as_raw(), ""), "plugin.compile-limit");
        assert_eq!(code(Signal::ABORT.as_raw(), words), "plugin.compile-limit");
        // A stack overflow aborts too, with a different message.
        assert_eq!(code(Signal::ABORT.as_raw(), ""), "plugin.compile-crashed");
        assert_eq!(code(Signal::SEGV.as_raw(), ""), "plugin.compile-crashed");
        let no_stack = "kind: IOError(Os { code: 11, kind: WouldBlock";
        assert_eq!(code(exit(101), no_stack), "plugin.compile-limit");
        // A different panic.
        assert_eq!(code(exit(101), words), "plugin.compile-crashed");
    }

    #[test]
    fn a_limit_names_its_setting() {
        let limits = CompileLimits::default();
        let raw = ExitStatus::from_raw(Signal::XCPU.as_raw());
        let error = judge(raw, "", limits).expect_err("it took too long");
        assert_eq!(
            error.message,
            "compiling it takes more than 60 s of CPU time"
        );
        assert!(error.help[1].contains("`compileTime`"), "{error:?}");
    }
}
