//! Our own bugs: said plainly, with a report to send.

use std::backtrace::Backtrace;
use std::fmt::Write;
use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::output::note;

static SAID: AtomicBool = AtomicBool::new(false);

/// Makes every panic write a report and say where it lies.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|info| {
        // One is enough: what follows is often its echo.
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
    let _ = writeln!(report, "{}", Backtrace::force_capture());
    let mut text = format!("sidestep has a bug: {info}\n");
    // The file holds no arguments and no environment: these may name secrets.
    let path = folder().join(format!("sidestep-bug-{}.txt", std::process::id()));
    match std::fs::write(&path, &report) {
        Ok(()) => {
            let _ = writeln!(text, "A report was written to {}.", path.display());
        }
        Err(_) => text.push_str(&report),
    }
    text.push_str(concat!(
        "Please send it: ",
        env!("CARGO_PKG_REPOSITORY"),
        "/issues\n"
    ));
    text.push_str("A run that was under way can be resumed: `sidestep runs` lists it.");
    text
}

fn folder() -> PathBuf {
    std::env::temp_dir()
}
