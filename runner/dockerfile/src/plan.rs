//! kaniko's plan of a Dockerfile before the build: the arguments that its `FROM`s see, and the
//! stages that it needs (pkg/dockerfile/dockerfile.go of kaniko 1.28).

use std::{collections::BTreeMap, fmt};

use crate::{Dockerfile, Kind, expand};

/// The stages to build, and their bases.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The variables for `FROM`s: the global arguments, and all `--build-arg` values, declared or
    /// not. Platform arguments are not included.
    pub values: BTreeMap<String, String>,
    /// The base of every stage, needed or not.
    pub bases: Vec<Base>,
    /// The index of the stage to build: the last one, or the requested one.
    pub target: usize,
    /// Whether each stage up to the target is needed.
    pub needed: Vec<bool>,
    /// The last stage of each name, of those up to the target.
    last: BTreeMap<String, usize>,
}

/// The base of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The name of the image or stage, with variables replaced.
    pub text: String,
    /// The index of the stage of that name.
    pub stage: Option<usize>,
    /// The variables that the name refers to.
    pub asked: Vec<String>,
    /// The variables without a value, which expand to nothing.
    pub unset: Vec<String>,
}

/// The source of a `COPY --from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An earlier stage.
    Stage(usize),
    /// A stage that does not come before: kaniko rejects it.
    Later(usize),
    /// A number without a stage: kaniko rejects it.
    None(i64),
    /// Not a stage, and so the name of an image; variables in it are not replaced.
    Image,
}

/// The reason why kaniko cannot plan the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An argument's default begins with one quote and ends with another, or with none.
    Quotes {
        /// The index of the global argument.
        variable: usize,
    },
    /// An argument's default cannot be expanded.
    Default {
        /// The index of the global argument.
        variable: usize,
        /// The parser's message.
        why: String,
    },
    /// No stage has the requested name; numbers are not accepted.
    Target(String),
    /// The name of a stage's base cannot be expanded. This is an error even for a stage that is not
    /// needed.
    Base {
        /// The index of the stage.
        stage: usize,
        /// The base in its `FROM`.
        base: String,
        /// The parser's message.
        why: String,
    },
}

impl fmt::Display for Fault {
    /// Formats the error as kaniko prints it after `error building image: `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quotes { .. } => {
                f.write_str("parsing dockerfile: quotes wrapping arg values must be matched")
            }
            Self::Default { why, .. } => write!(f, "expanding meta ARGs: {why}"),
            Self::Target(name) => write!(
                f,
                "error finding target stage: {name:?} is not a valid target build stage"
            ),
            Self::Base { base, why, .. } => {
                write!(f, "resolving args: resolving base name {base}: {why}")
            }
        }
    }
}

impl Plan {
    /// Returns the source of a stage's `COPY --from`.
    pub fn origin(&self, stage: usize, from: &str) -> Origin {
        let lower = from.to_lowercase();
        // Of two stages with one name, the last applies, even if it comes later.
        let index = match self.last.get(&lower) {
            Some(index) => *index,
            None => match from.parse::<i64>() {
                Ok(number) => match usize::try_from(number) {
                    Ok(index) if index <= self.target => index,
                    _ => return Origin::None(number),
                },
                Err(_) => return Origin::Image,
            },
        };
        if index < stage {
            Origin::Stage(index)
        } else {
            Origin::Later(index)
        }
    }
}

/// Plans a build.
pub fn plan(
    dockerfile: &Dockerfile,
    build_args: &BTreeMap<String, String>,
    target: Option<&str>,
) -> Result<Plan, Fault> {
    let values = values(dockerfile, build_args)?;
    let names: Vec<Option<String>> = dockerfile.stages.iter().map(crate::Stage::name).collect();
    let target = match target {
        None => names.len() - 1,
        Some(target) => {
            let lower = Some(target.to_lowercase());
            let found = names.iter().position(|name| *name == lower);
            found.ok_or_else(|| Fault::Target(target.to_owned()))?
        }
    };
    let mut bases = Vec::new();
    // Here, of two stages with one name, the first applies, and an empty name matches an unnamed
    // stage.
    let mut first = BTreeMap::new();
    for (index, stage) in dockerfile.stages.iter().enumerate() {
        let image = &stage.from.image.text;
        let fault = |why| Fault::Base {
            stage: index,
            base: image.clone(),
            why,
        };
        let base = expand(image, &|name| values.get(name).cloned()).map_err(fault)?;
        bases.push(Base {
            stage: first.get(&base.text.to_lowercase()).copied(),
            text: base.text,
            asked: base.asked,
            unset: base.unset,
        });
        let name = names[index].clone().unwrap_or_default();
        first.entry(name).or_insert(index);
    }
    let names = names.into_iter().take(target + 1).enumerate();
    let mut plan = Plan {
        values,
        bases,
        target,
        needed: vec![false; target + 1],
        last: names
            .filter_map(|(index, name)| Some((name?, index)))
            .collect(),
    };
    plan.needed[target] = true;
    for index in (0..=target).rev() {
        if !plan.needed[index] {
            continue;
        }
        let mut wanted: Vec<usize> = plan.bases[index].stage.into_iter().collect();
        for instruction in &dockerfile.stages[index].instructions {
            if let Kind::Copy(_) = instruction.kind
                && let Some(from) = instruction
                    .flag("from")
                    .and_then(|flag| flag.value.as_deref())
                && let Origin::Stage(stage) = plan.origin(index, from)
            {
                wanted.push(stage);
            }
        }
        for stage in wanted {
            plan.needed[stage] = true;
        }
    }
    Ok(plan)
}

/// Returns the variables for `FROM`s.
fn values(
    dockerfile: &Dockerfile,
    build_args: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut values = BTreeMap::new();
    for (variable, global) in dockerfile.globals.iter().enumerate() {
        let Some(default) = &global.default else {
            continue;
        };
        let default = unquoted(&default.text).ok_or(Fault::Quotes { variable })?;
        let given = |name: &str| build_args.get(name).or_else(|| values.get(name)).cloned();
        let default = expand(default, &given).map_err(|why| Fault::Default { variable, why })?;
        values.insert(global.name.text.clone(), default.text);
    }
    for (name, value) in build_args {
        // An empty value leaves the default, and a value ends at its own equals sign.
        let value = value.split('=').next().unwrap_or_default();
        if !value.is_empty() {
            values.insert(name.clone(), value.to_owned());
        }
    }
    Ok(values)
}

/// Returns a default without the quotes around it. Escaped quotes are kept.
fn unquoted(text: &str) -> Option<&str> {
    let quote = |c: Option<char>| c.filter(|c| matches!(c, '"' | '\''));
    if text.len() < 2 {
        return Some(text);
    }
    let escaped = text
        .strip_prefix('\\')
        .map(|rest| quote(rest.chars().next()));
    if let Some(Some(first)) = escaped {
        return text
            .ends_with(&['\\', first].iter().collect::<String>())
            .then_some(text);
    }
    match (quote(text.chars().next()), quote(text.chars().next_back())) {
        (None, None) => Some(text),
        (Some(first), Some(last)) if first == last => Some(&text[1..text.len() - 1]),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
