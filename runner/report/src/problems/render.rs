//! A diagnostic as people see it.

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, Report,
    Severity as Level,
};
use sidestep_events::{Diagnostic, Help, Severity, show};

use super::excerpt::Excerpt;
use super::source::SourceText;

/// Shows diagnostics in one style.
pub(super) struct Renderer(GraphicalReportHandler);

impl Renderer {
    pub(super) fn new(color: bool) -> Self {
        let theme = if color {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        Self(
            GraphicalReportHandler::new_themed(theme)
                .with_width(100)
                .with_links(false)
                .with_context_lines(1),
        )
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
        let mut shown = MietteDiagnostic::new(message)
            .with_code(show::line(&found.code))
            .with_severity(match found.severity {
                Severity::Error => Level::Error,
                Severity::Warning => Level::Warning,
                Severity::Note => Level::Advice,
            });
        if !found.help.is_empty() {
            shown = shown.with_help(help(&found.help));
        }
        let report = match excerpt {
            Some(excerpt) => {
                let label = LabeledSpan::new_with_span(None, excerpt.label());
                Report::new(shown.with_label(label)).with_source_code(excerpt)
            }
            None => Report::new(shown),
        };
        let mut text = String::new();
        if self.0.render_report(&mut text, report.as_ref()).is_err() {
            // Writing into a string can't fail; the message matters more than its look.
            return show::line(&found.message);
        }
        text
    }
}

/// The help as one text. Each further line begins with something of ours, since CI systems look for
/// commands of theirs behind blanks.
fn help(help: &[Help]) -> String {
    let lines = help.iter().flat_map(show::help).enumerate();
    let lines = lines.map(|(index, line)| match index {
        0 => line,
        _ => format!("· {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}
