use std::time::Duration;

use sidestep_events::Progress;

/// A time for people, from milliseconds: `240ms`, `1.4s`, `2m 05s`, `1h 02m`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..60_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{}m {:02}s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{}h {:02}m", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// A size for people, in binary units, as plugins say them: `812 B`, `33.4 KiB`, `1.3 GiB`.
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

/// The text as a terminal may show it: without escape sequences and control characters, and of a
/// line that was overwritten by `\r` the last version. What an outside process prints must not
/// move the cursor or speak to a CI system.
pub fn plain_text(text: &str) -> String {
    let text = console::strip_ansi_codes(text);
    let text = text.trim_end_matches(['\r', '\n']);
    let last = text.rsplit('\r').next().unwrap_or_default();
    let mut plain: String = last
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_direction_override(*c))
        .collect();
    // CI systems look for these anywhere in a line, not only where it begins.
    for command in ["##[", "##vso[", "##teamcity["] {
        if plain.contains(command) {
            plain = plain.replace(command, &command.replacen("##", "# #", 1));
        }
    }
    plain
}

/// Characters that make text look other than it is (Unicode Bidirectional Algorithm, UAX #9).
fn is_direction_override(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How far something is: `uploading  3.1 MiB of 12.0 MiB (25%)`.
pub(crate) fn progress_text(progress: &Progress) -> String {
    let amount = |count: u64| match progress.unit.as_str() {
        "bytes" => bytes(count),
        unit => format!("{count} {unit}"),
    };
    let label = plain_text(&progress.label);
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

/// The mean rate since the step began, for bytes.
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

    #[test]
    fn an_outside_line_can_do_nothing_but_be_read() {
        assert_eq!(plain_text("\u{1b}[31mred\u{1b}[0m\u{7}\tx\r\n"), "red x");
        assert_eq!(plain_text("10%\r50%\r100%\r"), "100%");
        assert_eq!(plain_text("a\u{202e}b"), "ab");
        // Commands that CI systems find anywhere in a line, also one that only this makes whole.
        assert_eq!(plain_text("a ##[add-path]/x"), "a # #[add-path]/x");
        assert_eq!(plain_text("#\u{7}#vso[x]"), "# #vso[x]");
        assert_eq!(plain_text(""), "");
    }
}
