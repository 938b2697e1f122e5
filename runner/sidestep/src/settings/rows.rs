//! The settings as they are shown.

use clap::ValueEnum;

use super::{Settings, Source};

/// A setting as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name in a file.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where it comes from.
    pub source: String,
    /// Whether the machine's file locks it.
    pub locked: bool,
}

/// The ceiling of memory where nobody has set any.
const HALF: &str = "half of the machine's or container's";

impl Settings {
    /// Each setting with its source.
    pub fn rows(&self) -> Vec<Row> {
        let row = |name: &str, value: String, source: &Source| Row {
            name: name.to_owned(),
            value,
            source: source.to_string(),
            locked: self.is_locked(name),
        };
        let mut rows = vec![
            match &self.state {
                Some(state) => row(
                    "state",
                    format!("dir:{}", state.value.display()),
                    &state.source,
                ),
                None => row("state", "none without a home".to_owned(), &Source::Default),
            },
            row("color", named(self.color.value), &self.color.source),
            row(
                "maxParallel",
                self.max_parallel.value.to_string(),
                &self.max_parallel.source,
            ),
            row(
                "onTerminate",
                named(self.on_terminate.value),
                &self.on_terminate.source,
            ),
            row(
                "journalLimit",
                self.journal_limit.value.to_string(),
                &self.journal_limit.source,
            ),
            row(
                "logLimit",
                self.log_limit.value.to_string(),
                &self.log_limit.source,
            ),
            row(
                "compileTime",
                self.compile_time.value.to_string(),
                &self.compile_time.source,
            ),
            row(
                "compileMemory",
                self.compile_memory.value.to_string(),
                &self.compile_memory.source,
            ),
            match &self.memory {
                Some(memory) => row("memory", memory.value.to_string(), &memory.source),
                None => row("memory", HALF.to_owned(), &Source::Default),
            },
        ];
        let patterns: Vec<_> = self.secret_files.value.texts().collect();
        rows.push(row(
            "secretFiles",
            match &patterns[..] {
                [] => "none".to_owned(),
                patterns => patterns.join(":"),
            },
            &self.secret_files.source,
        ));
        rows.extend(self.endpoints.iter().map(|(name, found)| {
            row(
                &format!("endpoints.{name}"),
                found.value.clone(),
                &found.source,
            )
        }));
        rows.extend(self.clusters.iter().map(|(name, found)| {
            row(
                &format!("clusters.{name}"),
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
