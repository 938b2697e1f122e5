use super::{TOO_MANY, not_found};
use crate::{
    copy::{cleaned, names_folder},
    files::Files,
    instruction::failed,
    scope::Scope,
    stages::copies_from,
};
use sidestep_dockerfile::{Heredoc, Instruction, Kind, Source, wildcard};

/// The parts of a `COPY` or `ADD`, with variables replaced.
pub(super) struct Parts {
    pub(super) is_add: bool,
    pub(super) from_context: bool,
    pub(super) sources: Vec<String>,
    pub(super) documents: Vec<Heredoc>,
    pub(super) destination: String,
    pub(super) owner: Option<String>,
    pub(super) mode: Option<String>,
}

impl Parts {
    pub(super) fn new(instruction: &Instruction, scope: &Scope) -> Result<Self, String> {
        let (copying, is_add) = match &instruction.kind {
            Kind::Copy(copying) => (copying, false),
            Kind::Add(copying) => (copying, true),
            _ => return Err(failed("it is not a copy")),
        };
        let path = |text: &str, what: &str| {
            let expanded = scope.expand(text);
            expanded.map_err(|why| not_found(format!("failed to resolve environment{what}: {why}")))
        };
        let mut sources = Vec::new();
        let mut documents = Vec::new();
        for source in &copying.sources {
            match source {
                Source::Path(word) => sources.push(path(&word.text, "")?),
                Source::Heredoc(document) => documents.push(document.clone()),
            }
        }
        let value = |name: &str| {
            let value = instruction
                .flag(name)
                .and_then(|flag| flag.value.as_deref());
            let value = value.filter(|value| !value.is_empty());
            value
                .map(|value| scope.expand(value).map_err(failed))
                .transpose()
        };
        Ok(Self {
            is_add,
            from_context: copies_from(instruction).is_none(),
            sources,
            documents,
            destination: path(&copying.destination.text, " for dest path")?,
            owner: value("chown")?,
            mode: value("chmod")?,
        })
    }

    /// Checks that the destination of more than one source is a folder. Existing folders count only
    /// for an absolute path.
    pub(super) fn check_destination(&self, into: &Files, gaps: &[String]) -> Result<(), String> {
        let to = cleaned(&self.destination);
        let is_folder = names_folder(into, &to) || (to.starts_with('/') && !gaps.is_empty());
        let has_pattern = self
            .sources
            .iter()
            .any(|source| wildcard::is_pattern(source));
        if self.sources.len() > 1 && !has_pattern && !is_folder {
            return Err(not_found(TOO_MANY));
        }
        Ok(())
    }
}
