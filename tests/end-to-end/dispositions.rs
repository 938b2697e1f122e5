//! The signal dispositions that the tests' child processes inherit.

use std::sync::LazyLock;

use tokio::signal::unix::{SignalKind, signal};

/// Restores signals for children that the tests were started to ignore, as a shell starts
/// background jobs: a signal with a handler here has its default disposition in a child
/// (execve(2)).
pub(crate) fn heard_by_children() {
    static DONE: LazyLock<()> = LazyLock::new(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .expect("a runtime");
        let _inside = runtime.enter();
        let status = std::fs::read_to_string("/proc/self/status").expect("proc");
        let ignored = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .expect("a mask");
        for kind in [
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::terminate(),
        ] {
            if ignored >> (kind.as_raw_value() - 1) & 1 == 1 {
                // A handler remains after the runtime that set it is gone.
                signal(kind).map(drop).expect("a handler");
            }
        }
    });
    LazyLock::force(&DONE);
}
