//! kaniko's own final error line, apart from everything that its builds print.

use crate::phase::{NOT_CONTAINED, OUTER, Phase};

/// The chain of a command that ended with an error. A RUN may leave its last line open, so this
/// one can begin in the middle of a line.
const RUN: &str = "error building image: error building stage: failed to execute command: waiting for process to exit: ";
/// The heading of the usage text that cobra prints after an error in the flags.
const USAGE: &str = "Usage:";
/// The heading of each goroutine's stack that Go prints after a crash.
const TRACE: &str = "goroutine ";
/// The beginnings of logrus's lines in its short text form.
const LEVELS: [&str; 5] = ["TRAC[", "DEBU[", "INFO[", "WARN[", "ERRO["];
/// The most bytes that are read of what follows the line.
const MOST: usize = 4 * 1024;

/// Regular expressions for the lines that may be kaniko's final error, each with an id. A match
/// covers the whole message. kaniko ends with such a line, so the last match counts: the output of
/// every RUN comes before it.
pub const PATTERNS: &[(&str, &str)] = &[
    (
        "error",
        r"^(?:Error: |error (?:building image|pushing image|checking push permissions|resolving relative paths to absolute paths|changing to root dir): |kaniko should only be run inside of a container|panic: |fatal error: |SIGSEGV: |FATA\[\d+\] |PANI\[\d+\] |time=\S+ level=(?:fatal|panic) ).*",
    ),
    (
        "run",
        r"error building image: error building stage: failed to execute command: waiting for process to exit: (?:exit status \d+|signal: [^:]*)$",
    ),
];

/// kaniko's final error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalLine {
    /// The phase in which kaniko failed.
    pub phase: Phase,
    /// The message after the outer prefix, with further lines if it has any.
    pub message: String,
}

impl FinalLine {
    /// Reads a line; `None` if it can't be kaniko's final error.
    pub fn read(line: &str) -> Option<Self> {
        let (phase, message) = split(line)?;
        Some(Self { phase, message })
    }

    /// Returns the last such line of a log's end.
    pub fn last(tail: &str) -> Option<Self> {
        tail.lines().rev().find_map(Self::read)
    }

    /// Returns whether kaniko ends with this code after the message. If not, something else printed
    /// the line, and kaniko was ended before it could print its own.
    pub fn fits(&self, exit: i64) -> bool {
        exit == code(self.phase, &self.message)
    }

    /// Returns whether the log's end shows that kaniko ended with this message. Go ends with code 2
    /// after a crash, and also on SIGTERM as process 1: so a crash needs the goroutines' trace, and
    /// nothing that kaniko logged after it.
    pub fn ends(&self, tail: &str) -> bool {
        if self.phase != Phase::Crash {
            return true;
        }
        let mut has_trace = false;
        // A long trace may have pushed the message out of the log's end.
        for line in tail
            .lines()
            .rev()
            .take_while(|line| Self::read(line).is_none())
        {
            if is_logged(line) {
                return false;
            }
            has_trace |= line.starts_with(TRACE);
        }
        has_trace
    }

    /// Adds the lines that follow the message in the log's end, up to the usage text.
    #[must_use]
    pub fn with_rest(mut self, tail: &str) -> Self {
        let first = self.message.lines().next().unwrap_or_default().to_owned();
        if first.is_empty() || self.message.contains('\n') {
            return self;
        }
        let mut lines = tail.lines().rev();
        let mut after: Vec<&str> = Vec::new();
        if lines.any(|line| {
            let is_it = line.ends_with(&first);
            if !is_it {
                after.push(line);
            }
            is_it
        }) {
            let lines = after
                .iter()
                .rev()
                .take_while(|line| !line.starts_with(USAGE));
            for line in lines.filter(|line| !line.trim().is_empty()) {
                if self.message.len() + line.len() > MOST {
                    break;
                }
                self.message.push('\n');
                self.message.push_str(line);
            }
        }
        self
    }

    /// Returns the message's first line.
    pub fn cause(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

fn split(line: &str) -> Option<(Phase, String)> {
    if let Some((before, ended)) = line.rsplit_once(RUN)
        && (before.is_empty() || is_end(ended))
    {
        let chain = RUN.split_once(": ").map_or("", |(_, chain)| chain);
        return Some((Phase::Build, format!("{chain}{ended}")));
    }
    if line.starts_with(NOT_CONTAINED) {
        return Some((Phase::Start, line.to_owned()));
    }
    if let Some(found) = logged(line) {
        return Some(found);
    }
    // logrus has logged the message of this one.
    if line.starts_with("panic: (*logrus.Entry)") {
        return None;
    }
    OUTER.iter().find_map(|(phase, prefix)| {
        let message = line.strip_prefix(prefix)?;
        Some((*phase, message.to_owned()))
    })
}

/// Reads the line that logrus writes before the program ends, in both of its text forms.
fn logged(line: &str) -> Option<(Phase, String)> {
    for (phase, short, level) in [
        (Phase::Fatal, "FATA[", " level=fatal msg="),
        (Phase::Crash, "PANI[", " level=panic msg="),
    ] {
        if let Some(rest) = line.strip_prefix(short) {
            let (_, text) = rest.split_once("] ")?;
            return Some((phase, text.to_owned()));
        }
        let text = line
            .strip_prefix("time=")
            .and_then(|rest| rest.split_once(level));
        if let Some((_, text)) = text {
            let quoted = text
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'));
            let text = match quoted {
                Some(quoted) => quoted.replace("\\\"", "\"").replace("\\n", "\n"),
                None => text.to_owned(),
            };
            return Some((phase, text));
        }
    }
    None
}

/// Returns the code that kaniko ends with after the message: a RUN's own, 2 after a crash of Go,
/// else 1.
fn code(phase: Phase, message: &str) -> i64 {
    let chain = RUN.split_once(": ").map_or("", |(_, chain)| chain);
    match message.strip_prefix(chain) {
        _ if phase == Phase::Crash => 2,
        Some(ended) if phase == Phase::Build => match ended.strip_prefix("exit status ") {
            Some(status) => status.trim().parse().unwrap_or(1),
            // `os.Exit(-1)`, which is what Go makes of a signal.
            None => 255,
        },
        _ => 1,
    }
}

fn is_logged(line: &str) -> bool {
    LEVELS.iter().any(|level| line.starts_with(level))
        || (line.starts_with("time=") && line.contains(" level=") && logged(line).is_none())
}

fn is_end(text: &str) -> bool {
    text.starts_with("exit status ") || text.starts_with("signal: ")
}
