//! Formats the settings for display.

use super::known::{self, each_setting};
use super::value::SettingValue;
use super::{Settings, Source};

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

/// Returns the rows of the settings with one value.
macro_rules! plain_rows {
    ($($(#[$_:meta])* $field:ident: $type:ty = $default:expr, $known:ident;)*) => {
        impl Settings {
            fn plain_rows(&self) -> Vec<Row> {
                vec![$(self.row(known::$known.name.to_owned(), self.$field.value.shown(), &self.$field.source),)*]
            }
        }
    };
}
each_setting!(plain_rows);

impl Settings {
    /// Returns each setting with its source.
    pub fn rows(&self) -> Vec<Row> {
        let state = match &self.state {
            Some(state) => (format!("dir:{}", state.value.display()), &state.source),
            None => ("none (no home folder)".to_owned(), &Source::Default),
        };
        let mut rows = vec![self.row(known::STATE.name.to_owned(), state.0, state.1)];
        rows.extend(self.plain_rows());
        rows.extend(self.endpoints.iter().map(|(name, found)| {
            self.row(
                format!("{}.{name}", known::ENDPOINTS.name),
                found.value.clone(),
                &found.source,
            )
        }));
        rows.extend(self.clusters.iter().map(|(name, found)| {
            self.row(
                format!("{}.{name}", known::CLUSTERS.name),
                found.value.to_string(),
                &found.source,
            )
        }));
        rows
    }

    fn row(&self, name: String, value: String, source: &Source) -> Row {
        Row {
            value,
            source: source.to_string(),
            locked: self.is_locked(&name),
            name,
        }
    }
}
