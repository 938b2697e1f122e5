//! Here-documents that kaniko treats otherwise than a shell or BuildKit does.

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep_dockerfile::{Command, Heredoc, Instruction, Kind, Source};

use super::Reading;

pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, instruction) in reading.instructions() {
        match &instruction.kind {
            Kind::Run(Command::Shell(line)) if !instruction.heredocs.is_empty() => {
                found.extend(script(reading, instruction, &line.text));
            }
            Kind::Copy(copying) | Kind::Add(copying) => {
                let documents = copying.sources.iter().filter_map(|source| match source {
                    Source::Heredoc(document) => Some(document),
                    Source::Path(_) => None,
                });
                found.extend(documents.filter_map(|document| verbatim(reading, document)));
            }
            _ => {}
        }
    }
    found
}

/// Checks `RUN <<EOF` without a program: the lines are the script. kaniko runs it only if the name
/// is not quoted; otherwise it passes the lines to no program.
fn script(reading: &Reading<'_>, instruction: &Instruction, line: &str) -> Option<Diagnostic> {
    let rest: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let is_alone = rest.starts_with("<<") && line.split_whitespace().all(|word| !is_program(word));
    let [document, others @ ..] = instruction.heredocs.as_slice() else {
        return None;
    };
    if !is_alone {
        return None;
    }
    let at = instruction.keyword.at;
    let shell = format!("name the shell: `RUN sh {}`", line.trim());
    if !others.is_empty() || line.trim() != format!("<<{}", document.name) {
        let message = format!(
            "kaniko does not run `RUN {}`: it passes the lines to no program",
            line.trim()
        );
        return Some(
            reading
                .warning(codes::dockerfile::HEREDOC_RUN, at, message)
                .help(shell),
        );
    }
    let first = document.text.lines().next().unwrap_or_default();
    let program = first.strip_prefix("#!")?.trim();
    let name = program.rsplit(['/', ' ']).next().unwrap_or(program);
    if name == "sh" {
        return None;
    }
    let message = format!("kaniko runs these lines with `sh` and ignores `{first}`");
    Some(
        reading
            .warning(codes::dockerfile::HEREDOC_RUN, document.at, message)
            .help(format!("name the program: `RUN {name} {}`", line.trim())),
    )
}

/// Returns whether a word names a program, rather than beginning a document.
fn is_program(word: &str) -> bool {
    !word.starts_with("<<")
}

/// Reports variables in a file that is made of the lines.
fn verbatim(reading: &Reading<'_>, document: &Heredoc) -> Option<Diagnostic> {
    if !document.expands {
        return None;
    }
    let in_name = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '{';
    let dollars = document.text.match_indices('$');
    let (at, _) = dollars
        .into_iter()
        .find(|(at, _)| document.text[at + 1..].starts_with(in_name))?;
    let end = document.text[at + 1..]
        .find(|c: char| !(c.is_ascii_alphanumeric() || "_{}".contains(c)))
        .map_or(document.text.len(), |end| at + 1 + end);
    let variable = &document.text[at..end];
    let message = format!("kaniko writes these lines unchanged and does not expand `{variable}`");
    Some(
        reading
            .warning(
                codes::dockerfile::HEREDOC_VARIABLES,
                document.at + at,
                message,
            )
            .help(format!(
                "to write them unchanged, quote the name: `<<'{}'`",
                document.name
            ))
            .help("to expand variables, write the file in a RUN"),
    )
}
