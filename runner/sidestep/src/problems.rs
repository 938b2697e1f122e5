//! Diagnostics as people see them: the file, the line and the column, the line itself, and what to
//! write instead.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report,
};
use sidestep_events::{Diagnostic, Exit, Position, Severity, show};

/// What was found, with the texts that it was found in.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    pub(crate) found: Vec<Diagnostic>,
    sources: BTreeMap<String, String>,
}

impl From<Vec<Diagnostic>> for Problems {
    fn from(found: Vec<Diagnostic>) -> Self {
        Self {
            found,
            ..Self::default()
        }
    }
}

impl Problems {
    /// Gives the text of a file that diagnostics name.
    pub(crate) fn with_source(mut self, file: &str, text: &str) -> Self {
        self.sources.insert(file.to_owned(), text.to_owned());
        self
    }

    /// Reads the texts of the other files that diagnostics name. A file that can't be read is
    /// named only.
    pub(crate) fn with_workspace(mut self, workspace: &Path) -> Self {
        for found in &self.found {
            if let Some(file) = &found.file
                && !self.sources.contains_key(file.exact())
                && let Ok(text) = std::fs::read_to_string(workspace.join(file.exact()))
            {
                self.sources.insert(file.exact().to_owned(), text);
            }
        }
        self
    }

    /// Whether anything found stops a start.
    pub(crate) fn has_errors(&self) -> bool {
        let errors = |found: &Diagnostic| found.severity == Severity::Error;
        self.found.iter().any(errors)
    }

    /// What the process ends with.
    pub(crate) fn exit(&self) -> Exit {
        let errors = self.found.iter();
        let errors = errors.filter(|found| found.severity == Severity::Error);
        Exit::first(errors.map(|found| match found.exit {
            Some(code) if code == Exit::Refused.code() => Exit::Refused,
            Some(code) if code == Exit::Denied.code() => Exit::Denied,
            Some(code) if code == Exit::Configuration.code() => Exit::Configuration,
            _ => Exit::Usage,
        }))
    }

    /// All of them, in the order they were found, with a count at the end.
    pub(crate) fn render(&self, color: bool) -> String {
        let mut text = String::new();
        for found in &self.found {
            text.push_str(&self.render_one(found, color));
            text.push('\n');
        }
        let errors = self.found.iter();
        let errors = errors
            .filter(|found| found.severity == Severity::Error)
            .count();
        if self.found.len() > 1 && errors > 0 {
            let plural = if errors == 1 { "" } else { "s" };
            let _ = writeln!(text, "{errors} error{plural}");
        }
        text
    }

    fn render_one(&self, found: &Diagnostic, color: bool) -> String {
        let theme = if color {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(100)
            .with_links(false)
            .with_context_lines(1);
        let source = found
            .file
            .as_ref()
            .and_then(|file| self.sources.get(file.exact()));
        let mut message = show::block(&found.message, "", "").join("\n");
        if let (Some(file), None) = (&found.file, source.zip(found.at)) {
            // Without the text the place stands in the message.
            let place = found.at.map(|at| format!(":{}:{}", at.line, at.column));
            message = format!(
                "{}{}: {message}",
                show::line(file),
                place.unwrap_or_default()
            );
        }
        let mut shown = MietteDiagnostic::new(message)
            .with_code(show::line(&found.code))
            .with_severity(match found.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
                Severity::Note => miette::Severity::Advice,
            });
        if let Some(help) = &found.help {
            shown = shown.with_help(show::block(help, "", "· ").join("\n"));
        }
        let mut text = String::new();
        let report = match (source, found.at, &found.file) {
            (Some(source), Some(at), Some(file)) => {
                // An escaped copy is shown, in which the place stands elsewhere.
                let (start, length) = span(source, at);
                let end = show::excerpt(&source[..start + length]).len();
                let start = show::excerpt(&source[..start]).len();
                let label = LabeledSpan::new(None, start, end - start);
                Report::new(shown.with_label(label))
                    .with_source_code(NamedSource::new(show::line(file), show::excerpt(source)))
            }
            _ => Report::new(shown),
        };
        if handler.render_report(&mut text, report.as_ref()).is_err() {
            // Writing into a string can't fail; the message matters more than its look.
            return show::line(&found.message);
        }
        text
    }
}

/// Bytes from and how many, of a place that is given in lines and characters.
fn span(source: &str, at: Position) -> (usize, usize) {
    let line = source
        .split_inclusive('\n')
        .take(at.line.saturating_sub(1) as usize)
        .map(str::len)
        .sum::<usize>();
    let rest = source.get(line..).unwrap_or_default();
    let rest = rest.split('\n').next().unwrap_or_default();
    let bytes = |characters: u32| {
        rest.char_indices()
            .nth(characters as usize)
            .map_or(rest.len(), |(at, _)| at)
    };
    let start = bytes(at.column.saturating_sub(1));
    let end = if at.length == 0 {
        // Only where it begins is known: the word there.
        let word = rest[start..].split(char::is_whitespace).next();
        start + word.map_or(0, str::len)
    } else {
        bytes(at.column.saturating_sub(1).saturating_add(at.length))
    };
    (line + start, end - start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_and_what_to_write() {
        let at = Position {
            line: 2,
            column: 3,
            length: 5,
        };
        let problems = Problems::from(vec![
            Diagnostic::error("yaml.unknown-key", "`stpes` is no key here")
                .with_help("did you mean `steps`?")
                .at("p.yaml", at),
            Diagnostic::warning("x.y", "beware").at("gone.yaml", at),
        ])
        .with_source("p.yaml", "version: 1\n\u{e4}\u{e4}stpes: {}\n");
        insta::assert_snapshot!(problems.render(false));
        assert_eq!(problems.exit(), Exit::Usage);
    }

    #[test]
    fn places_outside_of_the_text_are_no_panic() {
        for (line, column, length) in [
            (0, 0, 0),
            (1, 99, 3),
            (1, 99, 0),
            (99, 1, 1),
            (1, 1, u32::MAX),
        ] {
            let at = Position {
                line,
                column,
                length,
            };
            let (start, length) = span("a\u{e4}\nb", at);
            assert!(start + length <= 5, "{at:?}");
        }
    }

    #[test]
    fn where_only_the_beginning_is_known_the_word_is_meant() {
        let at = Position {
            line: 2,
            column: 6,
            length: 0,
        };
        assert_eq!(span("\u{e4}\nCOPY --from=\u{e4} a\n", at), (8, 9));
    }

    #[test]
    fn the_gravest_problem_gives_the_exit_code() {
        let refused = Diagnostic::error("grant.missing", "m").with_exit(Exit::Refused);
        let wrong = Diagnostic::error("x", "m");
        let policy = Diagnostic::error("policy.wrong", "m").with_exit(Exit::Configuration);
        let warning = Diagnostic::warning("x", "m");
        let exit = |found: &[&Diagnostic]| {
            Problems::from(found.iter().copied().cloned().collect::<Vec<_>>()).exit()
        };
        assert_eq!(exit(&[&refused]), Exit::Refused);
        assert_eq!(exit(&[&refused, &wrong]), Exit::Usage);
        assert_eq!(exit(&[&refused, &wrong, &policy]), Exit::Configuration);
        assert_eq!(exit(&[&warning]), Exit::Success);
    }
}
