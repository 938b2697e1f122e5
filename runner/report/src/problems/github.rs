use std::fmt;

use sidestep_events::{Diagnostic, Help, Severity, show};

use super::render::used_at;

/// Returns one workflow command per diagnostic. GitHub Actions shows them beside the lines of the
/// change (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
pub fn github(found: &[Diagnostic]) -> Vec<Annotation> {
    found.iter().map(annotation).collect()
}

/// A workflow command from the runner. No other output line may start like a workflow command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation(String);

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn annotation(found: &Diagnostic) -> Annotation {
    let name = match found.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(file) = &found.file {
        properties.push(("file", show::github_property(file)));
    }
    if let Some(at) = found.at {
        properties.push(("line", at.line.to_string()));
        properties.push(("col", at.column.to_string()));
        if at.length > 0 {
            properties.push(("endColumn", at.column.saturating_add(at.length).to_string()));
        }
    }
    properties.push(("title", show::github_property(&found.code)));
    let properties: Vec<String> = properties
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let help = used_at(found).into_iter();
    let help: Vec<String> = help.chain(found.help.iter().map(Help::exact)).collect();
    let text = if help.is_empty() {
        found.message.clone()
    } else {
        found
            .message
            .rewrite(|message| format!("{message}\n\n{}", help.join("\n")))
    };
    let (properties, data) = (properties.join(","), show::github_data(&text));
    Annotation(format!("::{name} {properties}::{data}"))
}

#[cfg(test)]
mod tests {
    use sidestep_events::Position;

    use super::*;

    #[test]
    fn nothing_ends_the_command() {
        let at = Position {
            line: 3,
            column: 5,
            length: 4,
        };
        let found = Diagnostic::error("yaml.x", "100% wrong\n::set-env name=A::b")
            .with_help("write `a: b`")
            .at("a,b:c.yaml", at);
        let annotations = github(&[found, Diagnostic::warning("w.x", "beware")]);
        let annotations: Vec<_> = annotations.iter().map(ToString::to_string).collect();
        assert_eq!(
            annotations,
            [
                "::error file=a%2Cb%3Ac.yaml,line=3,col=5,endColumn=9,title=yaml.x::100%25 wrong\
                 %0A::set-env name=A::b%0A%0Awrite `a: b`",
                "::warning title=w.x::beware"
            ]
        );
    }
}
