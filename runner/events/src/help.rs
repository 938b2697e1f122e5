use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sidestep_contract::Command;

use crate::Foreign;

/// A step of what to do next: a sentence, or a command as its program and arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Help {
    /// A sentence.
    Text(Foreign),
    /// A command that a person is to run.
    Command(Command),
}

impl Help {
    /// Returns the exact text; a command is in shell syntax. It is for JSON, masks and tests. Code
    /// that prints must not call this.
    pub fn exact(&self) -> String {
        match self {
            Self::Text(text) => text.exact().to_owned(),
            Self::Command(command) => command.to_line(),
        }
    }

    /// Returns the command, if the step is one.
    pub fn command(&self) -> Option<&Command> {
        match self {
            Self::Text(_) => None,
            Self::Command(command) => Some(command),
        }
    }

    /// Calls `change` on each of the texts.
    pub fn each_text(&mut self, change: impl FnMut(&mut String)) {
        let mut change = change;
        match self {
            Self::Text(text) => change(text.exact_mut()),
            Self::Command(command) => command.texts_mut().for_each(change),
        }
    }

    /// Returns whether the text contains `part`.
    pub fn contains(&self, part: &str) -> bool {
        self.exact().contains(part)
    }

    /// Returns whether the text begins with `part`.
    pub fn starts_with(&self, part: &str) -> bool {
        self.exact().starts_with(part)
    }
}

impl From<Command> for Help {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

impl From<&str> for Help {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Help {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&String> for Help {
    fn from(text: &String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Foreign> for Help {
    fn from(text: Foreign) -> Self {
        Self::Text(text)
    }
}

impl From<&Foreign> for Help {
    fn from(text: &Foreign) -> Self {
        Self::Text(text.into())
    }
}

impl From<Cow<'_, str>> for Help {
    fn from(text: Cow<'_, str>) -> Self {
        Self::Text(text.into())
    }
}

impl PartialEq<str> for Help {
    fn eq(&self, other: &str) -> bool {
        self.exact() == other
    }
}

impl PartialEq<&str> for Help {
    fn eq(&self, other: &&str) -> bool {
        self.exact() == *other
    }
}

impl PartialEq<String> for Help {
    fn eq(&self, other: &String) -> bool {
        self.exact() == *other
    }
}
