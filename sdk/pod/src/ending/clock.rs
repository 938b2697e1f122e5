//! Kubernetes' times as seconds, to compare and to subtract.

/// Returns the seconds since 1970 of a `metav1.Time`: RFC 3339 in UTC with whole seconds. Returns
/// none for any other text.
pub fn seconds(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let has_form = bytes.len() == 20
        && [
            (4, b'-'),
            (7, b'-'),
            (10, b'T'),
            (13, b':'),
            (16, b':'),
            (19, b'Z'),
        ]
        .iter()
        .all(|(at, byte)| bytes[*at] == *byte);
    if !has_form {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let time = part(11, 13)? * 3600 + part(14, 16)? * 60 + part(17, 19)?;
    Some(days(year, month, day) * 86_400 + time)
}

/// Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March, so that
/// a leap day is a year's last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_since_1970() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T23:59:59Z", Some(951_868_799)),
            ("2000-03-01T00:00:00Z", Some(951_868_800)),
            ("2026-11-30T06:00:05Z", Some(1_796_018_405)),
            ("2026-11-30T06:00:05.1Z", None),
            ("2026-11-30 06:00:05Z", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
