//! A diagnostic as people see it.

use crate::fold_after;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, Report,
    Severity as Level,
};
use sidestep_events::{Diagnostic, Help, Severity, show};
use textwrap::{WordSeparator, WordSplitter};

use super::excerpt::Excerpt;
use super::source::SourceText;

/// Shows diagnostics in one style.
pub(super) struct Renderer {
    handler: GraphicalReportHandler,
    /// What stands before the first line of help, in its colour.
    help: String,
}

/// How many columns a diagnostic takes.
const COLUMNS: usize = 100;

impl Renderer {
    pub(super) fn new(color: bool) -> Self {
        let theme = if color {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        Self {
            help: format!("  {} ", theme.styles.help.style("help:")),
            handler: GraphicalReportHandler::new_themed(theme)
                .with_width(COLUMNS)
                // Names hold slashes and hyphens, and are pasted whole.
                .with_break_words(false)
                .with_word_separator(WordSeparator::AsciiSpace)
                .with_word_splitter(WordSplitter::NoHyphenation)
                .with_links(false)
                .with_context_lines(1),
        }
    }

    /// Shows one, with the lines of its place where their text may be shown.
    pub(super) fn render(&self, found: &Diagnostic, source: Option<&SourceText>) -> String {
        let excerpt = source
            .zip(found.at)
            .map(|(source, at)| Excerpt::new(source, at));
        let mut message = show::block(&found.message, "", "").join("\n");
        if let (Some(file), None) = (&found.file, &excerpt) {
            // Without the text the place stands in the message.
            let place = found.at.map(|at| format!(":{}:{}", at.line, at.column));
            message = format!(
                "{}{}: {message}",
                show::line(file),
                place.unwrap_or_default()
            );
        }
        let shown = MietteDiagnostic::new(message)
            .with_code(show::line(&found.code))
            .with_severity(match found.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
                Severity::Note => Level::Advice,
            });
        let report = match excerpt {
            Some(excerpt) => {
                let label = LabeledSpan::new_with_span(None, excerpt.label());
                Report::new(shown.with_label(label)).with_source_code(excerpt)
            }
            None => Report::new(shown),
        };
        let mut text = String::new();
        if self
            .handler
            .render_report(&mut text, report.as_ref())
            .is_err()
        {
            // Writing into a string can't fail; the message matters more than its look.
            return show::line(&found.message);
        }
        text.extend(self.help(&found.help));
        text
    }

    /// The lines of help: sentences are folded, and commands stay as they are pasted. Each further
    /// line begins with something of ours, since CI systems look for commands of theirs behind
    /// blanks.
    fn help<'a>(&'a self, help: &'a [Help]) -> impl Iterator<Item = String> + 'a {
        let lines = help.iter().flat_map(show::help).enumerate();
        lines.flat_map(|(index, line)| {
            let label = if index == 0 {
                &self.help
            } else {
                "        · "
            };
            let folded = fold_after(label, &line, COLUMNS);
            folded.into_iter().map(|line| format!("{line}\n"))
        })
    }
}
