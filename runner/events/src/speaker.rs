//! The author of a failure's message.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use sidestep_contract::names;

names! {
    /// The author of a failure's text. Only commands of the runner are shown as commands to paste.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    pub enum Speaker {
        /// The plugin.
        #[default]
        Plugin = "plugin",
        /// The runner.
        Runner = "runner",
    }
}
