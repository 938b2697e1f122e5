use crate::{
    Directive, Error, From, Instruction, Kind, Variable,
    error::NO_FROM,
    lines::{Lines, lint_options},
    lint,
    node::Node,
};

/// A Dockerfile that kaniko's parser takes.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    /// `# syntax=…` and the like.
    pub directives: Vec<Directive>,
    /// The arguments before the first `FROM`, which are for the `FROM`s.
    pub globals: Vec<Variable>,
    /// The stages, in their order; at least one.
    pub stages: Vec<Stage>,
}

/// A `FROM` and what follows it.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its `FROM`.
    pub from: From,
    /// The instruction that this is.
    pub instruction: Instruction,
    /// Its other instructions.
    pub instructions: Vec<Instruction>,
}

impl Stage {
    /// Its name, in small letters.
    pub fn name(&self) -> Option<String> {
        self.from.name.as_ref().map(|name| name.text.to_lowercase())
    }
}

/// Reads a Dockerfile.
///
/// The errors are what kaniko would say, each by itself; it says the first. What makes a line no
/// line stops the reading, so then there is one.
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
            // One that is no instruction may have been the FROM.
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
