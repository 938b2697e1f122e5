/// Parses one of Go's durations, such as `1m30s`, `1.5h` or `500ms`, into nanoseconds. The error is
/// that of Go's `time.ParseDuration`.
pub fn duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let mut total = 0.0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c| !is_number(c)).unwrap_or(rest.len()));
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let (unit, after) = after.split_at(after.find(is_number).unwrap_or(after.len()));
        rest = after;
        total += number
            * match unit {
                "ns" => 1.0,
                "us" | "µs" | "μs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 6e10,
                "h" => 3.6e12,
                "" => return Err(format!("time: missing unit in duration {text:?}")),
                _ => return Err(format!("time: unknown unit {unit:?} in duration {text:?}")),
            };
    }
    #[expect(clippy::cast_possible_truncation, reason = "held against the largest")]
    if total < 9.2e18 {
        Ok((total * sign) as i64)
    } else {
        Err(invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        assert_eq!(duration("1m30s"), Ok(90_000_000_000));
        assert_eq!(duration("1.5h"), Ok(5_400_000_000_000));
        assert_eq!(duration("-1ns"), Ok(-1));
        assert_eq!(duration("0"), Ok(0));
        let why = |text: &str| duration(text).expect_err(text);
        assert_eq!(why("30"), "time: missing unit in duration \"30\"");
        assert_eq!(why("1d"), "time: unknown unit \"d\" in duration \"1d\"");
        assert_eq!(why("s"), "time: invalid duration \"s\"");
        assert_eq!(why(""), "time: invalid duration \"\"");
    }
}
