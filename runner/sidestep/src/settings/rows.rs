//! Formats the settings for display.

use clap::ValueEnum;

use super::{Known, Settings, Source, known};

/// A setting, formatted for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The setting's name in a file.
    pub name: String,
    /// The setting's value.
    pub value: String,
    /// The source of the value.
    pub source: String,
    /// Whether the machine's file locks the setting.
    pub locked: bool,
}

/// The text for the default memory limit.
const HALF: &str = "half of the machine's or container's";

impl Settings {
    /// Returns each setting with its source.
    pub fn rows(&self) -> Vec<Row> {
        let named_row = |name: String, value: String, source: &Source| Row {
            value,
            source: source.to_string(),
            locked: self.is_locked(&name),
            name,
        };
        let row = |known: &Known, value: String, source: &Source| {
            named_row(known.name.to_owned(), value, source)
        };
        let mut rows = vec![
            match &self.state {
                Some(state) => row(
                    &known::STATE,
                    format!("dir:{}", state.value.display()),
                    &state.source,
                ),
                None => row(
                    &known::STATE,
                    "none (no home folder)".to_owned(),
                    &Source::Default,
                ),
            },
            row(&known::COLOR, named(self.color.value), &self.color.source),
            row(
                &known::MAX_PARALLEL,
                self.max_parallel.value.to_string(),
                &self.max_parallel.source,
            ),
            row(
                &known::ON_TERMINATE,
                named(self.on_terminate.value),
                &self.on_terminate.source,
            ),
            row(
                &known::JOURNAL_LIMIT,
                self.journal_limit.value.to_string(),
                &self.journal_limit.source,
            ),
            row(
                &known::LOG_LIMIT,
                self.log_limit.value.to_string(),
                &self.log_limit.source,
            ),
            row(
                &known::COMPILE_TIME,
                self.compile_time.value.to_string(),
                &self.compile_time.source,
            ),
            row(
                &known::COMPILE_MEMORY,
                self.compile_memory.value.to_string(),
                &self.compile_memory.source,
            ),
            match &self.memory {
                Some(memory) => row(&known::MEMORY, memory.value.to_string(), &memory.source),
                None => row(&known::MEMORY, HALF.to_owned(), &Source::Default),
            },
        ];
        let patterns: Vec<_> = self.secret_files.value.texts().collect();
        rows.push(row(
            &known::SECRET_FILES,
            match &patterns[..] {
                [] => "none".to_owned(),
                patterns => patterns.join(":"),
            },
            &self.secret_files.source,
        ));
        rows.extend(self.endpoints.iter().map(|(name, found)| {
            named_row(
                format!("{}.{name}", known::ENDPOINTS.name),
                found.value.clone(),
                &found.source,
            )
        }));
        rows.extend(self.clusters.iter().map(|(name, found)| {
            named_row(
                format!("{}.{name}", known::CLUSTERS.name),
                found.value.to_string(),
                &found.source,
            )
        }));
        rows
    }
}

fn named(value: impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}
