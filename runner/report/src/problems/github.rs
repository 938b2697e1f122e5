use sidestep_events::{Diagnostic, Severity};

/// Workflow commands that GitHub Actions shows beside the lines of the change
/// (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>), one a
/// diagnostic.
pub fn github(found: &[Diagnostic]) -> Vec<String> {
    found.iter().map(command).collect()
}

fn command(found: &Diagnostic) -> String {
    let name = match found.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(file) = &found.file {
        properties.push(("file", file.clone()));
    }
    if let Some(at) = found.at {
        properties.push(("line", at.line.to_string()));
        properties.push(("col", at.column.to_string()));
        if at.length > 0 {
            properties.push(("endColumn", at.column.saturating_add(at.length).to_string()));
        }
    }
    properties.push(("title", found.code.to_string()));
    let properties: Vec<String> = properties
        .into_iter()
        .map(|(key, value)| format!("{key}={}", property(&value)))
        .collect();
    let mut text = found.message.clone();
    if let Some(help) = &found.help {
        text.push_str("\n\n");
        text.push_str(help);
    }
    format!("::{name} {}::{}", properties.join(","), data(&text))
}

/// The escapes of `@actions/core`: nothing in a text may end the command or begin another.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
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
        assert_eq!(
            github(&[found, Diagnostic::warning("w.x", "beware")]),
            [
                "::error file=a%2Cb%3Ac.yaml,line=3,col=5,endColumn=9,title=yaml.x::100%25 wrong\
                 %0A::set-env name=A::b%0A%0Awrite `a: b`",
                "::warning title=w.x::beware"
            ]
        );
    }
}
