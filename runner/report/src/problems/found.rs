//! Shows diagnostics to people: the file, the line and column, the text of the line, and the help.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use sidestep_events::{Diagnostic, Exit, Severity};

use super::render::Renderer;
use super::source::SourceText;

/// Diagnostics, with the texts that they point into.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
    sources: BTreeMap<String, SourceText>,
}

#[derive(Debug)]
struct Problem {
    diagnostic: Diagnostic,
    shows: Shows,
}

/// The text from which a diagnostic shows lines.
#[derive(Debug)]
enum Shows {
    /// The text of the file that the runner's own diagnostic names.
    Named,
    /// Only this text, regardless of the file that a plugin names.
    Only(Option<Arc<SourceText>>),
}

impl From<Vec<Diagnostic>> for Problems {
    fn from(found: Vec<Diagnostic>) -> Self {
        let mut problems = Self::default();
        problems.extend(found);
        problems
    }
}

impl Problems {
    /// Sets the text of a file that the runner's own diagnostics name.
    #[must_use]
    pub fn with_source(mut self, file: &str, text: &str) -> Self {
        self.sources
            .entry(file.to_owned())
            .or_insert_with(|| SourceText::new(file, text));
        self
    }

    /// Adds diagnostics of the runner itself.
    pub fn extend(&mut self, found: impl IntoIterator<Item = Diagnostic>) {
        let named = |diagnostic| Problem {
            diagnostic,
            shows: Shows::Named,
        };
        self.found.extend(found.into_iter().map(named));
    }

    /// Adds a plugin's diagnostic. It shows lines only from `source`, which the caller knows that
    /// the plugin may read. The file name in the diagnostic is the plugin's choice, and is not
    /// trusted.
    pub fn push_foreign(&mut self, diagnostic: Diagnostic, source: Option<Arc<SourceText>>) {
        let shows = Shows::Only(source);
        self.found.push(Problem { diagnostic, shows });
    }

    /// Sorts the diagnostics of a file by their places: first those without a place, then those of
    /// the file, then those of other files in the order in which they were found.
    pub fn sort_by_place(&mut self, file: &str) {
        self.found.sort_by_key(|problem| {
            let found = &problem.diagnostic;
            let own = matches!(&problem.shows, Shows::Named)
                && found
                    .file
                    .as_ref()
                    .is_some_and(|named| named.exact() == file);
            match (&found.file, found.at) {
                (Some(_), Some(at)) if own => (1, Some((at, found.used))),
                (Some(_), Some(_)) => (2, None),
                _ => (0, None),
            }
        });
    }

    /// Returns whether there are no diagnostics.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the diagnostics, in their order.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter().map(|problem| &problem.diagnostic)
    }

    /// Returns the diagnostics without the texts.
    pub fn into_diagnostics(self) -> impl Iterator<Item = Diagnostic> {
        self.found.into_iter().map(|problem| problem.diagnostic)
    }

    fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics()
            .filter(|found| found.severity == Severity::Error)
    }

    /// Returns whether any diagnostic prevents a start.
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// Returns the exit code of the process.
    pub fn exit(&self) -> Exit {
        Exit::first(self.errors().map(|found| match found.exit {
            Some(code) if code == Exit::Refused.code() => Exit::Refused,
            Some(code) if code == Exit::Denied.code() => Exit::Denied,
            Some(code) if code == Exit::Configuration.code() => Exit::Configuration,
            _ => Exit::Usage,
        }))
    }

    /// Renders all diagnostics in their order, with a count at the end.
    pub fn render(&self, color: bool) -> String {
        let renderer = Renderer::new(color);
        let mut text = String::new();
        for Problem { diagnostic, shows } in &self.found {
            let source = match shows {
                Shows::Named => {
                    let file = diagnostic.file.as_ref();
                    file.and_then(|file| self.sources.get(file.exact()))
                }
                Shows::Only(source) => source.as_deref(),
            };
            text.push_str(&renderer.render(diagnostic, source));
            text.push('\n');
        }
        let errors = self.errors().count();
        if self.found.len() > 1 && errors > 0 {
            let plural = if errors == 1 { "" } else { "s" };
            let _ = writeln!(text, "{errors} error{plural}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sidestep_events::{Place, Position};

    use super::*;

    #[test]
    fn a_problem_shows_its_line_and_what_to_write() {
        let at = Position {
            line: 2,
            column: 3,
            length: 5,
        };
        let problems = Problems::from(vec![
            Diagnostic::error("yaml.unknown-key", "`stpes` is not a known key")
                .with_help("did you mean `steps`?")
                .at("p.yaml", at),
            Diagnostic::warning("x.y", "beware").at("gone.yaml", at),
        ])
        .with_source("p.yaml", "version: 1\n\u{e4}\u{e4}stpes: {}\n");
        insta::assert_snapshot!(problems.render(false));
        assert_eq!(problems.exit(), Exit::Usage);
    }

    #[test]
    fn a_repeated_value_shows_the_place_that_uses_it() {
        let position = |line, column| Position {
            line,
            column,
            length: 4,
        };
        let at = Place {
            at: position(1, 12),
            used: Some(position(2, 4)),
        };
        let found = Diagnostic::error("x.y", "wrong").at("p.yaml", at);
        let found = vec![found.with_help("correct it")];
        let annotation = crate::github(&found)[0].to_string();
        assert!(
            annotation.ends_with("::wrong%0A%0Aused at p.yaml:2:4%0Acorrect it"),
            "{annotation}"
        );
        let log = crate::sarif(&found, "0.1.0");
        let related = &log["runs"][0]["results"][0]["relatedLocations"][0];
        assert_eq!(related["physicalLocation"]["region"]["startLine"], 2);
        let shown = Problems::from(found)
            .with_source("p.yaml", "a: &a { x: soon }\nb: *a\n")
            .render(false);
        assert!(
            shown.ends_with("  used at p.yaml:2:4\n  help: correct it\n\n"),
            "{shown}"
        );
    }

    #[test]
    fn a_plugin_s_diagnostic_shows_the_text_that_it_is_given_alone() {
        let at = Position {
            line: 1,
            column: 1,
            length: 0,
        };
        let mut problems =
            Problems::default().with_source("/etc/sidestep/policy.yaml", "password: hunter2\n");
        for file in ["/etc/sidestep/policy.yaml", "a.txt"] {
            let look = Diagnostic::warning("p.look", "look").at(file, at);
            let given =
                (file == "a.txt").then(|| Arc::new(SourceText::new(file, "granted line\n")));
            problems.push_foreign(look, given);
        }
        let shown = problems.render(false);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(
            shown.contains("/etc/sidestep/policy.yaml:1:1: look"),
            "{shown}"
        );
        assert!(shown.contains("granted line"), "{shown}");
    }

    /// Ten times as many errors take about ten times as long. If the text were read again for each
    /// error, they would take a hundred times as long, which is minutes.
    #[test]
    fn ten_thousand_errors_are_shown_at_once() {
        let spread: String = (0..10_000)
            .map(|n| format!("s{n}: {{ wiht: 1 }}\n"))
            .collect();
        let one_line = "\u{e4}bc ".repeat(10_000 * 25);
        for (text, place) in [
            (&spread, (|n| (n + 1, 1)) as fn(u32) -> (u32, u32)),
            (&one_line, |n| (1, n * 100 + 1)),
        ] {
            let error = |n| {
                let (line, column) = place(n);
                let at = Position {
                    line,
                    column,
                    length: 3,
                };
                Diagnostic::error("x.y", "wrong").at("p.yaml", at)
            };
            let found: Vec<_> = (0..10_000).map(error).collect();
            let began = Instant::now();
            let shown = Problems::from(found)
                .with_source("p.yaml", text)
                .render(false);
            assert!(shown.ends_with("10000 errors\n"));
            assert!(shown.len() < 10_000 * 3_000, "{}", shown.len());
            assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
        }
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

    #[test]
    fn errors_are_in_the_order_of_the_file() {
        let at = |line| Position {
            line,
            column: 1,
            length: 1,
        };
        let found =
            |code: &'static str, file: &str, line| Diagnostic::error(code, code).at(file, at(line));
        let mut problems = Problems::from(vec![found("b", "main", 2), found("d", "main", 9)]);
        problems.extend([Diagnostic::error("a", "a"), found("e", "other", 1)]);
        problems.push_foreign(found("f", "main", 1), None);
        problems.extend([found("c", "main", 5)]);
        problems.sort_by_place("main");
        let codes: Vec<&str> = problems.diagnostics().map(|one| one.code.exact()).collect();
        assert_eq!(codes, ["a", "b", "c", "d", "e", "f"]);
    }
}
