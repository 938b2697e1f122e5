//! Checks a Dockerfile's text for everything that makes kaniko fail or silently build something
//! else. kaniko fails at an error and continues after a warning.

mod arguments;
mod bases;
mod copies;
mod directives;
mod heredocs;
mod labels;
mod owners;
mod runs;
mod settings;
mod stages;
mod substitutions;
mod triggers;

use std::collections::BTreeMap;

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep_dockerfile::{Dockerfile, Fault, Instruction, Plan, parse, place, plan};

use crate::inputs::Known;

/// A Dockerfile that kaniko's parser accepts, and the known inputs of the build.
struct Reading<'a> {
    /// Its path in the workspace.
    path: &'a str,
    text: &'a str,
    dockerfile: Dockerfile,
    /// The plan for the known values of `buildArgs` and `target`.
    plan: Plan,
    known: &'a Known,
}

/// Returns every problem of a Dockerfile.
pub(crate) fn problems(path: &str, text: &str, known: &Known) -> Vec<Diagnostic> {
    let at = |found: Diagnostic, byte| {
        let (line, column) = place(text, byte);
        found.in_file(path).at(line, column)
    };
    let dockerfile = match parse(text) {
        Ok(dockerfile) => dockerfile,
        Err(errors) => {
            let errors = errors.into_iter();
            return errors
                .map(|error| at(syntax(error.message), error.at))
                .collect();
        }
    };
    let none = BTreeMap::new();
    let given = known.build_args.as_ref().unwrap_or(&none);
    let target = known.target.clone().flatten();
    let mut found = Vec::new();
    let planned = plan(&dockerfile, given, target.as_deref()).or_else(|fault| {
        found.extend(stages::fault(path, text, &dockerfile, known, &fault));
        match fault {
            // The rest can be looked at all the same.
            Fault::Target(_) => plan(&dockerfile, given, None),
            fault => Err(fault),
        }
    });
    let Ok(plan) = planned else {
        return found;
    };
    let reading = Reading {
        path,
        text,
        dockerfile,
        plan,
        known,
    };
    let rules = [
        directives::look,
        stages::look,
        bases::look,
        copies::look,
        heredocs::look,
        labels::look,
        owners::look,
        runs::look,
        settings::look,
        substitutions::look,
        triggers::look,
        arguments::look,
    ];
    let mut here: Vec<Diagnostic> = rules.iter().flat_map(|rule| rule(&reading)).collect();
    // As they stand in the file; what stands in the pipeline comes last.
    here.sort_by_key(|one| (one.line.is_none(), one.line, one.column));
    found.extend(here);
    found
}

/// Rewords the parser's messages that are not clear to a user.
fn syntax(message: String) -> Diagnostic {
    let (message, help) = match message.as_str() {
        "no build stage in current context" => (
            "this instruction comes before the first FROM".to_owned(),
            Some("only ARG is allowed there"),
        ),
        "file with no instructions" => ("the file has no instructions".to_owned(), None),
        "dockerfile must contain at least one FROM instruction" => {
            ("the file has no FROM".to_owned(), None)
        }
        "unterminated heredoc" => (
            "the here-document that begins here has no end".to_owned(),
            Some("its name must be on a line of its own, with nothing before or after it"),
        ),
        _ => (message, None),
    };
    let found = Diagnostic::error(codes::dockerfile::SYNTAX, message);
    match help {
        Some(help) => found.help(help),
        None => found,
    }
}

impl Reading<'_> {
    fn error(&self, code: &str, byte: usize, message: impl Into<String>) -> Diagnostic {
        self.at(Diagnostic::error(code, message), byte)
    }

    fn warning(&self, code: &str, byte: usize, message: impl Into<String>) -> Diagnostic {
        self.at(Diagnostic::warning(code, message), byte)
    }

    fn at(&self, found: Diagnostic, byte: usize) -> Diagnostic {
        let (line, column) = place(self.text, byte);
        found.in_file(self.path).at(line, column)
    }

    fn line(&self, byte: usize) -> u32 {
        place(self.text, byte).0
    }

    /// Returns the stages that are built, by their numbers.
    fn needed(&self) -> impl Iterator<Item = usize> {
        let needed = self.plan.needed.iter().enumerate();
        needed
            .filter(|(_, needed)| **needed)
            .map(|(index, _)| index)
    }

    /// Returns the instructions that are performed, each with its stage's number.
    fn instructions(&self) -> impl Iterator<Item = (usize, &Instruction)> {
        self.needed().flat_map(|stage| {
            let instructions = self.dockerfile.stages[stage].instructions.iter();
            instructions.map(move |instruction| (stage, instruction))
        })
    }

    /// Returns whether all values of `buildArgs` are known.
    fn knows_build_args(&self) -> bool {
        self.known.build_args.is_some()
    }
}

/// Returns the help that gives an argument a value, as YAML for the step.
fn build_arg(known: &Known, name: &str, value: &str) -> String {
    match &known.build_args {
        Some(given) if !given.is_empty() => {
            format!("give it a value in the step's `buildArgs`: `{name}: {value:?}`")
        }
        _ => format!("give it a value in the step's `with`: `buildArgs: {{ {name}: {value:?} }}`"),
    }
}

#[cfg(test)]
mod tests;
