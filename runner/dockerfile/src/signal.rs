/// The names of Linux' signals, without `SIG` and the real-time ones.
const NAMES: [&str; 35] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP",
    "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN",
];

/// Returns whether kaniko accepts a text as a signal: a number other than 0, or a name with or
/// without `SIG`. For any other text it reports `invalid signal: TEXT`.
pub fn is_signal(text: &str) -> bool {
    if let Ok(number) = text.parse::<i64>() {
        return number != 0;
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let upto = |rest: &str, most: u8| {
        rest.parse::<u8>()
            .is_ok_and(|number| (1..=most).contains(&number))
            && !rest.starts_with('0')
    };
    NAMES.contains(&name)
        || name == "RTMAX"
        || name
            .strip_prefix("RTMIN+")
            .is_some_and(|rest| upto(rest, 15))
        || name
            .strip_prefix("RTMAX-")
            .is_some_and(|rest| upto(rest, 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_linux() {
        for good in ["9", "SIGTERM", "term", "SIGRTMIN+3", "RTMAX-14"] {
            assert!(is_signal(good), "{good}");
        }
        for bad in ["0", "SIGNONE", "", "RTMIN+16", "RTMAX-0"] {
            assert!(!is_signal(bad), "{bad}");
        }
    }
}
