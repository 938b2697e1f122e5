use std::time::Duration;

use sidestep_events::{Progress, show};

/// Formats a duration in milliseconds for people: `240ms`, `1.4s`, `2m 05s`, `1h 02m`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..60_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{}m {:02}s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{}h {:02}m", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// Formats a size for people in binary units, as plugins do: `812 B`, `33.4 KiB`, `1.3 GiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1_024 {
        return format!("{count} B");
    }
    let (mut unit, mut scale) = (0, 1_024u64);
    while count / scale >= 1_024 && unit + 1 < UNITS.len() {
        unit += 1;
        scale *= 1_024;
    }
    let tenths = u128::from(count) * 10 / u128::from(scale);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// Formats a progress report: `uploading  3.1 MiB of 12.0 MiB (25%)`.
pub(crate) fn progress_text(progress: &Progress) -> String {
    let amount = |count: u64| match progress.unit.exact() {
        "bytes" => bytes(count),
        unit => format!("{count} {}", show::line(unit)),
    };
    let label = show::line(&progress.label);
    match progress.total {
        _ if progress.unit.is_empty() && progress.total.is_none() => label,
        Some(total) if total > 0 => {
            let percent = u128::from(progress.done) * 100 / u128::from(total);
            let (done, total) = (amount(progress.done), amount(total));
            format!("{label}  {done} of {total} ({percent}%)")
        }
        _ => format!("{label}  {}", amount(progress.done)),
    }
}

/// Returns the mean rate since the step began, if the progress is in bytes.
pub(crate) fn throughput(progress: &Progress, elapsed: Duration) -> Option<String> {
    let ms = u64::try_from(elapsed.as_millis()).ok()?;
    (progress.unit == "bytes" && progress.done > 0 && ms >= 500).then(|| {
        let rate = u128::from(progress.done) * 1_000 / u128::from(ms);
        format!("{}/s", bytes(u64::try_from(rate).unwrap_or(u64::MAX)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_short_and_exact() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (1_450, "1.4s"),
            (59_999, "59.9s"),
            (125_000, "2m 05s"),
            (3_720_000, "1h 02m"),
        ] {
            assert_eq!(duration(ms), text);
        }
        for (count, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (34_250, "33.4 KiB"),
            (1_500_000_000, "1.3 GiB"),
            (u64::MAX, "16383.9 PiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }
}
