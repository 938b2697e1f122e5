//! What can be seen in a Dockerfile's text.

use parse_dockerfile::Instruction;
use sidestep::Diagnostic;

/// Everything that makes kaniko fail, or silently build something else.
pub(crate) fn problems(text: &str, target: Option<&str>) -> Vec<Diagnostic> {
    let dockerfile = match parse_dockerfile::parse(text) {
        Ok(dockerfile) => dockerfile,
        Err(error) => {
            let at = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).max(1);
            let message = error.to_string();
            // The place is said beside the message, not in it.
            let message = message
                .rsplit_once(" at line ")
                .map_or(message.as_str(), |(what, _)| what);
            return vec![
                Diagnostic::error("dockerfile.syntax", message)
                    .at(at(error.line()), at(error.column())),
            ];
        }
    };
    let mut problems = Vec::new();
    for instruction in &dockerfile.instructions {
        if let Instruction::Run(run) = instruction {
            for option in &run.options {
                let (line, column) = place(text, option.span().start);
                let warning = Diagnostic::warning(
                    "dockerfile.run-option",
                    format!("kaniko ignores `--{}` of RUN", option.name.value),
                );
                problems.push(warning.at(line, column).help(
                    "the instruction runs without it; where it needs it, build with BuildKit",
                ));
            }
        }
    }
    if let Some(target) = target
        && dockerfile.stage(target).is_none()
        && target
            .parse::<usize>()
            .map_or(true, |number| number >= dockerfile.stages().len())
    {
        let names: Vec<String> = dockerfile
            .stages()
            .filter_map(|stage| {
                stage
                    .from
                    .as_
                    .as_ref()
                    .map(|(_, name)| name.value.to_string())
            })
            .collect();
        let known = if names.is_empty() {
            "no stage of it has a name".to_owned()
        } else {
            format!("its stages are {}", names.join(", "))
        };
        problems.push(
            Diagnostic::error(
                "dockerfile.no-stage",
                format!("there is no stage `{target}`"),
            )
            .help(known),
        );
    }
    problems
}

/// Line and column, from 1, of a byte of the text.
fn place(text: &str, byte: usize) -> (u32, u32) {
    let before = &text[..text.floor_char_boundary(byte)];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    (number(line), number(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_kaniko_ignores_is_found_where_it_stands() {
        let text = "FROM a AS build\nRUN --mount=type=cache,target=/x make\n";
        let found = problems(text, Some("build"));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].column), (Some(2), Some(5)));
        assert!(found[0].message.contains("--mount"), "{}", found[0].message);
    }

    #[test]
    fn an_unknown_stage_is_named_with_the_known_ones() {
        let found = problems("FROM a AS build\nFROM b AS run\n", Some("test"));
        assert_eq!(found[0].code, "dockerfile.no-stage");
        assert_eq!(found[0].help, ["its stages are build, run"]);
        assert!(
            problems("FROM a\nFROM b\n", Some("1")).is_empty(),
            "stages have numbers too"
        );
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let found = problems("FROM a\nCOPPY x y\n", None);
        assert_eq!(found[0].code, "dockerfile.syntax");
        assert_eq!(found[0].line, Some(2));
    }
}
