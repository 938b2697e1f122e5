//! Invalid substitutions `${…}` in the instructions in which kaniko expands variables.

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep_dockerfile::{Copying, Kind, Source, Word, expand};

use super::Reading;

pub(super) fn look(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, instruction) in reading.instructions() {
        let words: Vec<&Word> = match &instruction.kind {
            Kind::Arg(variables) => {
                let defaults = variables.iter().filter_map(|one| one.default.as_ref());
                defaults.collect()
            }
            Kind::Env(pairs) | Kind::Label(pairs) => pairs
                .iter()
                .flat_map(|pair| [&pair.name, &pair.value])
                .collect(),
            Kind::Expose(words) | Kind::Volume(words) => words.iter().collect(),
            Kind::Stopsignal(word) | Kind::User(word) | Kind::Workdir(word) => vec![word],
            Kind::Copy(copying) | Kind::Add(copying) => paths(copying),
            _ => continue,
        };
        found.extend(words.into_iter().filter_map(|word| {
            // Every variable may be set, by the base image if by nobody else.
            let why = expand(&word.text, &|_| Some("x".to_owned())).err()?;
            let preface = format!("failed to process {:?}: ", word.text);
            let reason = why.strip_prefix(&preface).unwrap_or(&why);
            let message = format!("kaniko can't read `{}`: {reason}", word.text);
            Some(
                reading
                    .error(codes::dockerfile::SUBSTITUTION, word.at, message)
                    .help("write a literal dollar sign as `\\$`"),
            )
        }));
    }
    found
}

fn paths(copying: &Copying) -> Vec<&Word> {
    let sources = copying.sources.iter().filter_map(|source| match source {
        Source::Path(path) => Some(path),
        Source::Heredoc(_) => None,
    });
    sources.chain([&copying.destination]).collect()
}
