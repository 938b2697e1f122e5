//! Renders a diagnostic for people.

use crate::fold_after;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, Report,
    Severity as Level,
};
use sidestep_events::{Diagnostic, Help, Severity, show};
use textwrap::{WordSeparator, WordSplitter};

use super::excerpt::Excerpt;
use super::source::SourceText;

/// Returns the place that uses the value that is wrong, if an alias repeats it.
pub(super) fn used_at(found: &Diagnostic) -> Option<String> {
    let (file, used) = (found.file.as_ref()?, found.used?);
    let file = show::line(file);
    Some(format!("used at {file}:{}:{}", used.line, used.column))
}

/// Renders diagnostics in one style.
pub(super) struct Renderer {
    handler: GraphicalReportHandler,
    /// The label of the first line of help, with its colour.
    help: String,
}

/// The maximum width of a diagnostic, in columns.
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
                // Names contain slashes and hyphens, and must stay whole to be pasted.
                .with_break_words(false)
                .with_word_separator(WordSeparator::AsciiSpace)
                .with_word_splitter(WordSplitter::NoHyphenation)
                .with_links(false)
                .with_context_lines(1),
        }
    }

    /// Renders a diagnostic, with the lines around its place if their text may be shown.
    pub(super) fn render(&self, found: &Diagnostic, source: Option<&SourceText>) -> String {
        let excerpt = source
            .zip(found.at)
            .map(|(source, at)| Excerpt::new(source, at));
        let mut message = show::block(&found.message, "", "").join("\n");
        if let (Some(file), None) = (&found.file, &excerpt) {
            // Without the text, the place is part of the message.
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
            // Writing to a string can't fail; if it does, the plain message is better than nothing.
            return show::line(&found.message);
        }
        if let Some(used) = used_at(found) {
            text.push_str(&format!("  {used}\n"));
        }
        text.extend(self.help(&found.help));
        text
    }

    /// Returns the lines of help. Sentences are folded; commands stay whole, so that they can be
    /// pasted. Each further line begins with a mark, since CI systems recognise their own commands
    /// even after spaces.
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
