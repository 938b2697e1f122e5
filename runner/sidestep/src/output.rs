//! Prints all output. Everything passes [`show::sealed`], except text that the runner itself wrote
//! in full.

use std::io::{self, IsTerminal, Write};
use std::sync::{OnceLock, PoisonError, RwLock, mpsc};
use std::time::Duration;

use console::Term;
use sidestep_events::{Class, Exit, Failure, Owner, codes, show};
use sidestep_report::{Screen, columns, fold, render_failure};

use crate::environment;
use crate::settings::Color;

/// The maximum time to wait for the last message of a process to be written.
const PATIENCE: Duration = Duration::from_millis(250);

/// The first error of writing to standard output.
static FAILED: OnceLock<io::Error> = OnceLock::new();

/// The screen that the live reporter draws on, if there is one.
static DRAWN: RwLock<Option<Screen>> = RwLock::new(None);

/// Standard output. Its first error is stored for [`finished`].
#[derive(Debug, Default)]
pub(crate) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        kept(io::stdout().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        kept(io::stdout().flush())
    }
}

fn kept<T>(result: io::Result<T>) -> io::Result<T> {
    result.inspect_err(|error| {
        if error.kind() != io::ErrorKind::Interrupted {
            let _ = FAILED.set(match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => error.kind().into(),
            });
        }
    })
}

/// Returns the exit code of a command that would end with `exit`. If its output could not be
/// written, prints an error, and replaces a successful exit code. A reader that closed the pipe (`|
/// head`) is not an error.
pub(crate) fn finished(exit: Exit) -> Exit {
    let failed = FAILED.get();
    let Some(error) = failed.filter(|error| error.kind() != io::ErrorKind::BrokenPipe) else {
        return exit;
    };
    let failure = Failure::new(
        Class::Failed,
        codes::output::UNWRITABLE,
        Owner::Operator,
        format!("the output can't be written: {error}"),
    )
    .with_help("the output is incomplete: free some space, or write it to another place");
    note(&render_failure(&failure, false).join("\n"));
    // A failure of the command itself counts for more than one of its output.
    match exit {
        Exit::Success => Exit::Failed,
        exit => exit,
    }
}

/// Prints to standard output.
pub(crate) fn print(text: &str) {
    print_own(&show::sealed(text));
}

/// Prints text that the runner itself wrote: completion scripts, and commands to a CI system.
pub(crate) fn print_own(text: &str) {
    let _ = Stdout
        .write_all(text.as_bytes())
        .and_then(|()| Stdout.flush());
}

/// Prints a line to standard output.
pub(crate) fn line(text: &str) {
    print(&format!("{text}\n"));
}

/// Prints lines for people to standard output, folded if it is a terminal.
pub(crate) fn prose(text: &str) {
    line(&folded(text, &Term::stdout()));
}

/// Prints lines for people to standard error, folded if it is a terminal.
pub(crate) fn note_prose(text: &str) {
    note(&folded(text, &Term::stderr()));
}

fn folded(text: &str, terminal: &Term) -> String {
    match columns(terminal) {
        None => text.to_owned(),
        Some(columns) => {
            let lines: Vec<_> = text.lines().flat_map(|line| fold(line, columns)).collect();
            lines.join("\n")
        }
    }
}

/// Prints a line to standard output, and returns an error if that fails.
pub(crate) fn try_line(text: &str) -> io::Result<()> {
    Stdout.write_all(format!("{}\n", show::sealed(text)).as_bytes())?;
    Stdout.flush()
}

/// Writes raw bytes to standard output, and returns an error if that fails.
pub(crate) fn try_bytes(bytes: &[u8]) -> io::Result<()> {
    Stdout.write_all(bytes)?;
    Stdout.flush()
}

/// Prints a line for people to standard error.
pub(crate) fn note(text: &str) {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "{}", show::sealed(text));
}

/// Sets the screen that is drawn on the terminal, so that [`note_above`] does not write into it.
pub(crate) fn share(screen: Screen) {
    *DRAWN.write().unwrap_or_else(PoisonError::into_inner) = Some(screen);
}

/// Prints a line of the runner's own log to standard error. On a terminal, it appears above what is
/// drawn.
pub(crate) fn note_above(text: &str) {
    let drawn = DRAWN.read().unwrap_or_else(PoisonError::into_inner).clone();
    match drawn {
        Some(screen) if io::stderr().is_terminal() => screen.apart(|| note(text)),
        _ => note(text),
    }
}

/// Prints a line like [`note`], without waiting for a blocked terminal.
pub(crate) fn note_apart(text: &str) {
    let text = text.to_owned();
    std::thread::spawn(move || note(&text));
}

/// Prints a line like [`note`], but waits only a short time for a blocked terminal. For the last
/// message of a process.
pub(crate) fn note_shortly(text: &str) {
    let text = text.to_owned();
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        note(&text);
        let _ = done.send(());
    });
    let _ = wait.recv_timeout(PATIENCE);
}

/// Prints a value as indented JSON.
pub(crate) fn json(value: &impl serde::Serialize) {
    if let Ok(text) = show::json_pretty(value) {
        line(&text);
    }
}

/// Prints rows with two spaces between columns.
pub(crate) fn table<const N: usize>(rows: Vec<[String; N]>) {
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let cells = row.iter().zip(widths);
        let padded = cells.map(|(cell, width)| format!("{cell:<width$}"));
        line(padded.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// The capabilities of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether colours may be used.
    pub(crate) color: bool,
    /// Whether lines may be redrawn.
    pub(crate) live: bool,
}

impl Look {
    pub(crate) fn stdout(color: Color) -> Self {
        Self::of(io::stdout().is_terminal(), color, environment::get)
    }

    pub(crate) fn stderr(color: Color) -> Self {
        Self::of(io::stderr().is_terminal(), color, environment::get)
    }

    /// Returns the capabilities. `NO_COLOR` (no-color.org) and `CI` count if they are set and not
    /// empty.
    fn of(terminal: bool, color: Color, env: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| env(name).is_some_and(|value| !value.is_empty());
        let dumb = env("TERM").is_some_and(|term| term == "dumb");
        let ci = set("CI") && env("CI").is_none_or(|value| value != "false");
        Self {
            color: match color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => terminal && !set("NO_COLOR") && !dumb,
            },
            live: terminal && !ci && !dumb,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_ci_and_no_color_are_honoured() {
        let look = |terminal, color, set: &'static [(&str, &str)]| {
            let look = Look::of(terminal, color, |name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            (look.color, look.live)
        };
        assert_eq!(look(true, Color::Auto, &[]), (true, true));
        assert_eq!(look(false, Color::Auto, &[]), (false, false));
        assert_eq!(look(true, Color::Auto, &[("NO_COLOR", "1")]), (false, true));
        assert_eq!(look(true, Color::Auto, &[("NO_COLOR", "")]), (true, true));
        assert_eq!(look(true, Color::Auto, &[("CI", "true")]), (true, false));
        assert_eq!(look(true, Color::Auto, &[("CI", "false")]), (true, true));
        assert_eq!(look(true, Color::Auto, &[("TERM", "dumb")]), (false, false));
        assert_eq!(look(false, Color::Always, &[]), (true, false));
        assert_eq!(look(true, Color::Never, &[]), (false, true));
    }
}
