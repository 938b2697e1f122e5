use crate::{
    Directive, Error, From, Instruction, Kind, Variable,
    error::NO_FROM,
    lines::{Lines, lint_options},
    lint,
    node::Node,
};

/// A Dockerfile that kaniko's parser accepts.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    /// The directives: `# syntax=…` and the like.
    pub directives: Vec<Directive>,
    /// The arguments before the first `FROM`, which apply to the `FROM`s.
    pub globals: Vec<Variable>,
    /// The stages, in order; at least one.
    pub stages: Vec<Stage>,
}

/// A `FROM` and the instructions after it.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The stage's `FROM`.
    pub from: From,
    /// The `FROM` as an instruction.
    pub instruction: Instruction,
    /// The stage's other instructions.
    pub instructions: Vec<Instruction>,
}

impl Stage {
    /// Returns the stage's name, in lower case.
    pub fn name(&self) -> Option<String> {
        self.from.name.as_ref().map(|name| name.text.to_lowercase())
    }
}

/// Parses a Dockerfile.
///
/// The errors are kaniko's messages, one per problem; kaniko reports only the first. An error in
/// the splitting of lines stops the parsing, so then there is only one.
pub fn parse(text: &str) -> Result<Dockerfile, Vec<Error>> {
    let mut lines = Lines::new(text);
    let mut nodes = Vec::new();
    loop {
        match Node::next(&mut lines) {
            Ok(Some(node)) => nodes.push(node),
            Ok(None) => break,
            Err(error) => return Err(vec![error]),
        }
    }
    if nodes.is_empty() {
        return Err(vec![Error::new(0, "file with no instructions")]);
    }
    let mut errors = Vec::new();
    let mut globals = Vec::new();
    let mut stages: Vec<Stage> = Vec::new();
    for node in nodes {
        let instruction = match Instruction::new(node) {
            Ok(instruction) => instruction,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        match (&instruction.kind, stages.last_mut()) {
            (Kind::From(from), _) => stages.push(Stage {
                from: from.clone(),
                instruction,
                instructions: Vec::new(),
            }),
            (Kind::Arg(variables), None) => globals.extend(variables.iter().cloned()),
            (_, Some(stage)) => stage.instructions.push(instruction),
            // An invalid instruction may have been the `FROM`.
            (_, None) if errors.is_empty() => {
                let at = instruction.keyword.at;
                errors.push(Error::new(at, "no build stage in current context"));
            }
            (_, None) => {}
        }
    }
    if let Some(options) = lint_options(text)
        && let Err(why) = lint::check(&options.text)
    {
        // kaniko reads them before the instructions.
        errors.insert(0, Error::new(options.at, why));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    if stages.is_empty() {
        return Err(vec![Error::new(0, NO_FROM)]);
    }
    Ok(Dockerfile {
        directives: lines.directives,
        globals,
        stages,
    })
}

#[cfg(test)]
mod tests;
