//! Timestamps in Kubernetes' formats.

use jiff::Timestamp;

/// Formats a time like `metav1.Time`: `2026-01-02T03:04:05Z`.
pub(crate) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Formats a time with nanoseconds, as in log lines.
pub(crate) fn nanoseconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}

/// Returns the current time, as `metav1.Time`.
pub(crate) fn now() -> String {
    seconds(Timestamp::now())
}

/// Formats an age in kubectl's short form: `5s`, `3m12s`, `4h`, `2d`.
///
/// After `duration.HumanDuration` of k8s.io/apimachinery.
pub(crate) fn age(since: &str, now: Timestamp) -> String {
    let Ok(since) = since.parse::<Timestamp>() else {
        return "<unknown>".to_owned();
    };
    human(now.as_second() - since.as_second())
}

pub(crate) fn human(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let with = |big: i64, unit: &str, small: i64, of: &str| {
        if small == 0 {
            format!("{big}{unit}")
        } else {
            format!("{big}{unit}{small}{of}")
        }
    };
    match seconds {
        s if s < -1 => "<invalid>".to_owned(),
        s if s < 0 => "0s".to_owned(),
        s if s < 120 => format!("{s}s"),
        s if minutes < 10 => with(minutes, "m", s % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => with(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if days < 8 => with(days, "d", hours % 24, "h"),
        _ if days < 730 => format!("{days}d"),
        _ => format!("{}y{}d", days / 365, days % 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_as_kubectl_shows_them() {
        for (seconds, text) in [
            (5, "5s"),
            (119, "119s"),
            (185, "3m5s"),
            (3600, "60m"),
            (10_800, "3h"),
            (200_000, "2d7h"),
        ] {
            assert_eq!(human(seconds), text);
        }
        let time: Timestamp = "2026-01-02T03:04:05.5Z".parse().expect("a time");
        assert_eq!(super::seconds(time), "2026-01-02T03:04:05Z");
        assert_eq!(nanoseconds(time), "2026-01-02T03:04:05.500000000Z");
    }
}
