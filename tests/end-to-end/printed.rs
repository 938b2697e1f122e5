//! The commands among what a run prints as help.

use serde_json::Value;
use sidestep_events::Help;

/// Returns the commands of a failure's or a diagnostic's help, as a shell reads them.
pub(crate) fn commands(help: &Value) -> Vec<String> {
    let help: Vec<Help> = serde_json::from_value(help.clone()).unwrap();
    let commands = help.iter().filter_map(Help::command);
    commands.map(|command| command.to_line()).collect()
}
