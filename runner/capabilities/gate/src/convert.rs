//! Conversions between the contract's records and the events' types.

use jiff::Timestamp;
use serde_json::{Map, Value};
use sidestep_events::{
    Class, Diagnostic, Failure, Foreign, Help, OnExit, Owner, Position, Severity, Speaker,
};

use crate::bindings::sidestep::host::types;
use crate::gate::diagnostic_code;

/// The maximum size of a failure's details that is parsed, in bytes.
const MAX_DETAILS: usize = 1 << 20;

/// Returns a failure in the contract's form, for a plugin.
pub fn failure_to_wit(failure: Failure) -> types::Failure {
    types::Failure {
        class: failure.class.as_str().to_owned(),
        code: failure.code.into_exact(),
        owner: failure.owner.as_str().to_owned(),
        message: failure.message.into_exact(),
        help: failure.help.into_iter().map(help_to_wit).collect(),
        retry_after: failure.retry_after_ms,
        details: Value::Object(failure.details).to_string(),
    }
}

/// Returns a failure that a plugin gave. An unknown class becomes `failed`, and an unknown owner
/// the plugin itself; details that are not a JSON object are kept as text.
pub fn failure_from_wit(failure: types::Failure) -> Failure {
    // A parsed tree takes many times the memory of its text.
    let details = if failure.details.len() > MAX_DETAILS {
        text(failure.details)
    } else {
        match serde_json::from_str(&failure.details) {
            Ok(Value::Object(details)) => details,
            _ if failure.details.is_empty() => Map::new(),
            _ => text(failure.details),
        }
    };
    Failure {
        class: Class::from_name(&failure.class),
        code: failure.code.into(),
        owner: Owner::from_name(&failure.owner).unwrap_or(Owner::Plugin),
        message: failure.message.into(),
        help: failure.help.into_iter().map(help_from_wit).collect(),
        by: Speaker::Plugin,
        retry_after_ms: failure.retry_after,
        details,
    }
}

sidestep_contract::wit_commands!(types);

fn help_to_wit(help: Help) -> types::Help {
    match help {
        Help::Text(text) => types::Help::Text(text.into_exact()),
        Help::Command(command) => types::Help::Command(command_to_wit(command)),
    }
}

fn help_from_wit(help: types::Help) -> Help {
    match help {
        types::Help::Text(text) => text.into(),
        types::Help::Command(command) => {
            command_from_wit(command).map_or_else(|| "".into(), Help::Command)
        }
    }
}

/// Returns the number of bytes that a plugin's help takes.
pub fn help_size(help: &types::Help) -> usize {
    match help {
        types::Help::Text(text) => text.len(),
        types::Help::Command(types::Command { words, input }) => {
            let commands = |commands: &[Vec<String>]| -> usize {
                // A word takes memory even if it is empty.
                let words = commands
                    .iter()
                    .map(|words| words.iter().map(|word| word.len() + 32).sum::<usize>() + 32);
                words.sum()
            };
            let piece = |piece: &types::Piece| {
                32 + match piece {
                    types::Piece::Text(text) => text.len(),
                    types::Piece::Output(output) => commands(output),
                }
            };
            let words = words.iter();
            let words = words.map(|word| word.iter().map(piece).sum::<usize>() + 32);
            words.sum::<usize>() + commands(input)
        }
    }
}

fn text(details: String) -> Map<String, Value> {
    Map::from_iter([("text".to_owned(), Value::String(details))])
}

/// Returns a diagnostic that a plugin gave; a code that is reserved for the host is replaced.
pub fn diagnostic_from_wit(diagnostic: types::Diagnostic) -> Diagnostic {
    Diagnostic {
        severity: match diagnostic.severity {
            types::Severity::Error => Severity::Error,
            types::Severity::Warning => Severity::Warning,
            types::Severity::Info => Severity::Note,
        },
        code: diagnostic_code(diagnostic.code.into()),
        message: diagnostic.message.into(),
        help: diagnostic.help.into_iter().map(help_from_wit).collect(),
        file: diagnostic.file.map(Foreign::from),
        used: None,
        at: diagnostic.line.map(|line| Position {
            line: line.max(1),
            column: diagnostic.column.unwrap_or(1).max(1),
            length: 0,
        }),
        exit: None,
    }
}

/// Returns what the host does with an object on exit, from the plugin's setting.
pub fn on_exit(on_exit: types::OnExit) -> OnExit {
    match on_exit {
        types::OnExit::Keep => OnExit::Keep,
        types::OnExit::Delete => OnExit::Delete,
    }
}

/// Returns the outcome of creating an object.
pub fn creation(new: bool) -> types::Creation {
    if new {
        types::Creation::Created
    } else {
        types::Creation::AlreadyThere
    }
}

/// Returns the time that a plugin gave, if it is valid.
pub fn time(milliseconds: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(milliseconds).ok()?).ok()
}

/// Returns a time in the contract's form: milliseconds since 1970.
pub fn milliseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use sidestep_events::Command;

    use super::*;

    #[test]
    fn a_failure_survives_the_way_to_a_plugin_and_back() {
        let failure = Failure::new(Class::Denied, "pod.forbidden", Owner::Cluster, "no")
            .with_help("make a Role:")
            .with_helps(
                Command::new(&["kubectl", "create", "role", "builder"])
                    .option("-n", Command::fixed(&["cat", "namespace"]).output())
                    .build(),
            )
            .with_detail("status", 403);
        let back = failure_from_wit(failure_to_wit(failure.clone()));
        let by = Speaker::Plugin;
        assert_eq!(back, Failure { by, ..failure });
    }

    #[test]
    fn what_a_newer_plugin_says_is_kept() {
        let mut wit = failure_to_wit(Failure::bug("x"));
        wit.class = "melted".into();
        wit.owner = "neighbour".into();
        wit.details = "not json".into();
        let failure = failure_from_wit(wit);
        assert_eq!(
            (failure.class, failure.owner),
            (Class::Failed, Owner::Plugin)
        );
        assert_eq!(failure.details["text"], "not json");
    }
}
