//! Reports problems with the command line.

use std::io::{self, IsTerminal};

use clap::Error;
use clap::error::ContextValue;
use sidestep_events::{Exit, show};

use crate::output::{note, print};

/// Reports why the arguments can't be parsed, or prints the requested help or version.
pub(crate) fn say(mut error: Error) -> Exit {
    // Help and version output are not errors, and go to standard output.
    if !error.use_stderr() {
        print(&written(&error, io::stdout().is_terminal()));
        return Exit::Success;
    }
    // Arguments quoted in the message are untrusted text.
    let quoted: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| Some((kind, shown(value)?)))
        .collect();
    for (kind, value) in quoted {
        error.insert(kind, value);
    }
    note(written(&error, io::stderr().is_terminal()).trim_end());
    Exit::Usage
}

fn shown(value: &ContextValue) -> Option<ContextValue> {
    match value {
        ContextValue::String(text) => Some(ContextValue::String(show::line(text))),
        ContextValue::Strings(texts) => {
            let texts = texts.iter().map(show::line).collect();
            Some(ContextValue::Strings(texts))
        }
        // Styled values come from clap itself, and numbers need no escaping.
        _ => None,
    }
}

fn written(error: &Error, color: bool) -> String {
    let text = error.render();
    if color {
        text.ansi().to_string()
    } else {
        text.to_string()
    }
}
