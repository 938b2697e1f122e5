//! Determines which signals the process was started to ignore.

use std::io::Read as _;

/// The maximum number of bytes read of the status file, which has about 1,500.
const MAX_STATUS: u64 = 64 << 10;

/// The signals that were ignored when the process was started, for example by `nohup` or by a shell
/// that starts a background job.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Inherited {
    /// A bit mask; bit N-1 stands for signal N.
    ignored: u64,
}

impl Inherited {
    /// Reads the ignored signals. Call it before any handler is set, since a handler replaces the
    /// inherited disposition.
    pub(crate) fn read() -> Self {
        let mut status = String::new();
        let read = std::fs::File::open("/proc/self/status")
            .and_then(|file| file.take(MAX_STATUS).read_to_string(&mut status));
        match read {
            Ok(_) => Self::of(&status),
            // Without /proc they are unknown, and the usual handlers are set.
            Err(_) => Self::default(),
        }
    }

    /// Parses `SigIgn` in a status file (proc_pid_status(5)): a mask in hexadecimal.
    fn of(status: &str) -> Self {
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        Self {
            ignored: mask.unwrap_or(0),
        }
    }

    /// Returns whether a signal was ignored.
    pub(crate) fn ignores(self, signal: i32) -> bool {
        (1..=64).contains(&signal) && self.ignored >> (signal - 1) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        let status = "Name:\tsidestep\nSigBlk:\t0000000000000003\nSigIgn:\t0000000000001003\nSigCgt:\t0000000000004000\n";
        let inherited = Inherited::of(status);
        let ignored: Vec<_> = (0..70)
            .filter(|signal| inherited.ignores(*signal))
            .collect();
        assert_eq!(ignored, [1, 2, 13]);
        assert!((0..70).all(|signal| !Inherited::of("Name:\tx\n").ignores(signal)));
    }
}
