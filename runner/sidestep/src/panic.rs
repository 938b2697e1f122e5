//! Reports the runner's own bugs, with a file to send.

use std::backtrace::Backtrace;
use std::fmt::Write;
use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::output::note;

static SAID: AtomicBool = AtomicBool::new(false);

/// Installs a hook that writes a report for a panic and prints its path.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|info| {
        // Only the first panic is reported, since later ones are often its consequences.
        if !SAID.swap(true, Ordering::Relaxed) {
            note(&said(info));
        }
    }));
}

fn said(info: &PanicHookInfo<'_>) -> String {
    let mut report = String::new();
    let _ = writeln!(report, "sidestep {}", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(
        report,
        "{} {}",
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let _ = writeln!(report, "{info}");
    // The program has no symbols. With the load address, the separate symbol file resolves function
    // names.
    if let Some(start) = loaded_at() {
        let _ = writeln!(report, "loaded at {start:#x}");
    }
    let _ = writeln!(report, "{:#}", Backtrace::force_capture());
    let mut text = format!("sidestep has a bug: {info}\n");
    // The file contains no arguments and no environment, since these may contain secrets.
    let path = folder().join(format!("sidestep-bug-{}.txt", std::process::id()));
    match std::fs::write(&path, &report) {
        Ok(()) => {
            let _ = writeln!(text, "A report was written to {}.", path.display());
        }
        Err(_) => text.push_str(&report),
    }
    text.push_str(concat!(
        "Please attach it to an issue: ",
        env!("CARGO_PKG_REPOSITORY"),
        "/issues\n"
    ));
    text.push_str("An interrupted run can be resumed: `sidestep runs` lists it.");
    text
}

fn folder() -> PathBuf {
    std::env::temp_dir()
}

/// Returns the program's load address. An address in the report minus this one is the address that
/// `addr2line -e sidestep.debug` expects.
fn loaded_at() -> Option<u64> {
    let program = std::fs::read_link("/proc/self/exe").ok()?;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    // proc_pid_maps(5): START-END PERMISSIONS OFFSET DEVICE INODE PATH, in ascending order.
    let first = maps
        .lines()
        .find(|line| line.ends_with(&*program.to_string_lossy()))?;
    u64::from_str_radix(first.split('-').next()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_lie_behind_the_start_of_the_program() {
        let start = loaded_at().expect("a start");
        let here = loaded_at as fn() -> Option<u64> as usize as u64;
        let program = std::env::current_exe().expect("a program");
        let size = std::fs::metadata(program).expect("there").len();
        assert!(start < here && here - start < size, "{start:#x} {here:#x}");
        assert_eq!(start % 4096, 0);
    }
}
