//! The checks of a Dockerfile before the build, in kaniko's order and words.

use crate::log::Log;
use sidestep_dockerfile::{
    Dockerfile, Error, Instruction, Kind, Origin, Plan, Source, is_reference, parse, plan,
};
use std::collections::BTreeMap;

/// The maximum length of an instruction's text in the log and the history.
const LONGEST: usize = 400;

/// The stages of a Dockerfile, and which of them are built.
#[derive(Debug)]
pub(crate) struct Stages {
    pub(crate) dockerfile: Dockerfile,
    pub(crate) plan: Plan,
}

impl Stages {
    /// Reads a Dockerfile.
    pub(crate) fn read(
        text: &str,
        build_args: &BTreeMap<String, String>,
        target: Option<&str>,
    ) -> Result<Self, String> {
        let dockerfile = parse(text).map_err(|errors| {
            let first = errors.first().map(Error::kanikos);
            first.unwrap_or_default()
        })?;
        let plan = plan(&dockerfile, build_args, target).map_err(|fault| fault.to_string())?;
        Ok(Self { dockerfile, plan })
    }

    /// Checks all names of images and stages: first those of `FROM` and the numbers of
    /// `COPY --from`, from the last stage back; then the other values of `COPY --from`, from the
    /// first stage on.
    pub(crate) fn check(&self, log: &Log<'_>) -> Result<(), String> {
        let reference = |name: &str| {
            if is_reference(name) {
                return Ok(());
            }
            log.info(&format!("Retrieving image manifest {name}"));
            Err(format!("could not parse reference: {name}"))
        };
        for stage in self.needed().rev() {
            let base = &self.plan.bases[stage];
            if base.stage.is_none() && base.text != "scratch" {
                reference(&base.text)?;
            }
            for (_, from) in self.copies(stage) {
                if let Origin::None(number) = self.plan.origin(stage, from) {
                    return Err(format!(
                        "stage {stage}: COPY --from={number} refers to a stage that does not exist"
                    ));
                }
            }
        }
        for stage in self.needed() {
            for (instruction, from) in self.copies(stage) {
                match self.plan.origin(stage, from) {
                    Origin::Later(other) => {
                        let text = &instruction.text;
                        return Err(format!("{text} refers to invalid stage: {other}"));
                    }
                    Origin::Image => reference(from)?,
                    Origin::Stage(_) | Origin::None(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Returns the numbers of the stages that are built.
    pub(crate) fn needed(&self) -> impl DoubleEndedIterator<Item = usize> {
        let needed = self.plan.needed.iter().enumerate();
        needed
            .filter(|(_, needed)| **needed)
            .map(|(index, _)| index)
    }

    /// Returns whether kaniko merges this stage with the only one that is built on it.
    pub(crate) fn is_squashed(&self, base: usize) -> bool {
        let on_it = |stage: &usize| self.plan.bases[*stage].stage == Some(base);
        let mut copies = self
            .needed()
            .flat_map(|stage| self.copies(stage).map(move |(_, from)| (stage, from)));
        self.needed().filter(on_it).count() == 1
            && !copies.any(|(stage, from)| self.plan.origin(stage, from) == Origin::Stage(base))
    }

    fn copies(&self, stage: usize) -> impl Iterator<Item = (&Instruction, &str)> {
        let instructions = self.dockerfile.stages[stage].instructions.iter();
        instructions.filter_map(|instruction| Some((instruction, copies_from(instruction)?)))
    }

    /// Returns whether any built stage copies from the context.
    pub(crate) fn use_context(&self) -> bool {
        let stages = self.needed().map(|stage| &self.dockerfile.stages[stage]);
        let mut instructions = stages.flat_map(|stage| &stage.instructions);
        instructions.any(|instruction| match &instruction.kind {
            Kind::Add(_) => true,
            Kind::Onbuild(text) => {
                text.to_lowercase().contains("copy") || text.to_lowercase().contains("add")
            }
            Kind::Copy(copying) => {
                copies_from(instruction).is_none()
                    && copying
                        .sources
                        .iter()
                        .any(|source| matches!(source, Source::Path(_)))
            }
            _ => false,
        })
    }
}

/// Returns the source of a `COPY`, if it is not the context.
pub(crate) fn copies_from(instruction: &Instruction) -> Option<&str> {
    if !matches!(instruction.kind, Kind::Copy(_)) {
        return None;
    }
    let from = instruction.flag("from")?.value.as_deref();
    from.filter(|from| !from.is_empty())
}

/// Returns an instruction as one line, for the log and the history.
pub(crate) fn shown(instruction: &Instruction) -> String {
    let words: Vec<&str> = instruction.text.split_whitespace().collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Parses the `ONBUILD` instructions of a base image.
pub(crate) fn triggers(texts: &[String]) -> Result<Vec<Instruction>, String> {
    let mut found = Vec::new();
    for text in texts {
        let file = parse(&format!("FROM scratch\n{text}\n")).map_err(|errors| {
            let why = errors.first().map(|error| error.message.clone());
            format!(
                "failed to parse ONBUILD instructions: {}",
                why.unwrap_or_default()
            )
        })?;
        found.extend(file.stages.into_iter().flat_map(|stage| stage.instructions));
    }
    Ok(found)
}
