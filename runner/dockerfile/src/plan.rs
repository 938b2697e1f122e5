//! What kaniko makes of a Dockerfile before it builds: the arguments that its `FROM`s see, and the
//! stages that it needs (pkg/dockerfile/dockerfile.go of kaniko 1.28).

use std::{collections::BTreeMap, fmt};

use crate::{Dockerfile, Kind, expand};

/// The stages to build, and what they are built on.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the `FROM`s see: the global arguments, and whatever is given with `--build-arg`,
    /// declared or not. Platform arguments are not among them.
    pub values: BTreeMap<String, String>,
    /// What every stage is built on, needed or not.
    pub bases: Vec<Base>,
    /// The stage to build: the last one, or the one that was asked for.
    pub target: usize,
    /// Whether it is needed for that, of each stage up to it.
    pub needed: Vec<bool>,
    /// The last stage of each name, of those up to the target.
    last: BTreeMap<String, usize>,
}

/// What a stage is built on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The image's or the stage's name, its variables replaced.
    pub text: String,
    /// The stage of that name.
    pub stage: Option<usize>,
    /// The variables that its name asks for.
    pub asked: Vec<String>,
    /// Those that nothing is known for, and that are nothing in it.
    pub unset: Vec<String>,
}

/// What `COPY --from` copies from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An earlier stage.
    Stage(usize),
    /// A stage that does not come before: kaniko refuses it.
    Later(usize),
    /// A number that no stage has: kaniko refuses it.
    None(i64),
    /// No stage, and so the name of an image; variables in it are not replaced.
    Image,
}

/// Why kaniko does not get as far as to a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An argument's default begins with one quote and ends with another, or with none.
    Quotes {
        /// Its number among the global ones.
        variable: usize,
    },
    /// An argument's default can't be expanded.
    Default {
        /// Its number among the global ones.
        variable: usize,
        /// The parser's words.
        why: String,
    },
    /// No stage has the name that was asked for; a number is none.
    Target(String),
    /// The name of what a stage is built on can't be expanded. It is so even for a stage that is
    /// not needed.
    Base {
        /// The stage's number.
        stage: usize,
        /// What its `FROM` says.
        base: String,
        /// The parser's words.
        why: String,
    },
}

impl fmt::Display for Fault {
    /// As kaniko prints it after `error building image: `.
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
    /// What the `COPY --from` of a stage means.
    pub fn origin(&self, stage: usize, from: &str) -> Origin {
        let lower = from.to_lowercase();
        // Of two stages by one name the last counts, even where it is not there yet.
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
    // Here, of two by one name the first counts; and an empty name is that of a stage without one.
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

/// What the `FROM`s see.
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
        // An empty one leaves the default, and one ends at an equals sign of its own.
        let value = value.split('=').next().unwrap_or_default();
        if !value.is_empty() {
            values.insert(name.clone(), value.to_owned());
        }
    }
    Ok(values)
}

/// A default without the quotes around it. Escaped ones stay.
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
