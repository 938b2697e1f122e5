//! Decides which source sets a setting.

use std::fmt;
use std::path::Path;

use sidestep_events::{Diagnostic, Exit, codes};

use super::file::File;
use super::known::Known;
use super::value::SettingValue;
use super::{Setting, Source};

/// Resolves each setting from its sources.
pub(super) struct Resolver<'a> {
    /// The project's, the user's and the machine's file.
    pub(super) files: [(&'a File, &'a Path); 3],
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
}

impl Resolver<'_> {
    /// Like [`Resolver::pick`], for a setting with one value.
    pub(super) fn value<T: SettingValue>(
        &self,
        known: &Known,
        problems: &mut Vec<Diagnostic>,
        written: impl Fn(&File) -> Option<T::Written>,
    ) -> Option<Setting<T>> {
        self.pick(known, problems, T::of_variable, |file| {
            written(file).map(T::of_file)
        })
    }

    /// Returns the setting from the first source that sets it: environment, files. If the
    /// machine's file locks it, only that file counts.
    pub(super) fn pick<T, E: fmt::Display>(
        &self,
        known: &Known,
        problems: &mut Vec<Diagnostic>,
        read: impl Fn(&str) -> Result<T, E>,
        of_file: impl Fn(&File) -> Option<T>,
    ) -> Option<Setting<T>> {
        let [.., (machine, path)] = self.files;
        let from_file = |(file, path): (&File, &Path)| {
            of_file(file).map(|value| Setting {
                value,
                source: Source::File(path.to_owned()),
            })
        };
        if machine.lock.iter().any(|lock| lock == known.name) {
            return from_file((machine, path));
        }
        let set = known
            .variable
            .and_then(|variable| Some((variable, (self.env)(variable)?)))
            .filter(|(_, text)| !text.is_empty());
        if let Some((variable, text)) = set {
            let source = Source::Env(variable.to_owned());
            match read(&text) {
                Ok(value) => return Some(Setting { value, source }),
                Err(problem) => {
                    problems.push(wrong(
                        known.name,
                        &source,
                        format!("`{text}` is not valid: {problem}"),
                    ));
                }
            }
        }
        self.files.into_iter().find_map(from_file)
    }
}

pub(super) fn or_default<T>(found: Option<Setting<T>>, default: T) -> Setting<T> {
    found.unwrap_or(Setting {
        value: default,
        source: Source::Default,
    })
}

pub(super) fn wrong(name: &str, source: &Source, problem: impl fmt::Display) -> Diagnostic {
    Diagnostic::error(
        codes::settings::WRONG,
        format!("{name}, from {source}: {problem}"),
    )
    .with_help("`sidestep settings` prints each setting and its source")
    .with_exit(Exit::Configuration)
}
