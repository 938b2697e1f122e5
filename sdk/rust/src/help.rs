//! The help of an error.

use std::borrow::Cow;
use std::fmt;

use sidestep_contract::Command;

use crate::bindings::sidestep::host::types;

/// A step that the reader can take next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Help {
    /// A sentence.
    Text(String),
    /// A command for the reader to run.
    Command(Command),
}

impl Help {
    /// Returns the text; a command is in shell syntax.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{Command, Help};
    ///
    /// let help = Help::from(Command::fixed(&["sidestep", "runs"]));
    /// assert_eq!(help.text(), "sidestep runs");
    /// ```
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Command(command) => Cow::Owned(command.to_line()),
        }
    }

    /// Returns whether the text contains `part`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Help;
    ///
    /// assert!(Help::from("name a folder").contains("folder"));
    /// ```
    pub fn contains(&self, part: &str) -> bool {
        self.text().contains(part)
    }

    /// Returns whether the text begins with `part`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Help;
    ///
    /// assert!(Help::from("name a folder").starts_with("name"));
    /// ```
    pub fn starts_with(&self, part: &str) -> bool {
        self.text().starts_with(part)
    }

    /// Returns whether the text ends with `part`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Help;
    ///
    /// assert!(Help::from("name a folder").ends_with("folder"));
    /// ```
    pub fn ends_with(&self, part: &str) -> bool {
        self.text().ends_with(part)
    }
}

/// Writes the text; a command is in shell syntax.
impl fmt::Display for Help {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl From<Command> for Help {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

impl From<String> for Help {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Help {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&str> for Help {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl PartialEq<str> for Help {
    fn eq(&self, other: &str) -> bool {
        self.text() == other
    }
}

impl PartialEq<&str> for Help {
    fn eq(&self, other: &&str) -> bool {
        self.text() == *other
    }
}

sidestep_contract::wit_commands!(types);

impl From<types::Help> for Help {
    fn from(help: types::Help) -> Self {
        match help {
            types::Help::Text(text) => Self::Text(text),
            types::Help::Command(command) => {
                command_from_wit(command).map_or(Self::Text(String::new()), Self::Command)
            }
        }
    }
}

impl From<Help> for types::Help {
    fn from(help: Help) -> Self {
        match help {
            Help::Text(text) => Self::Text(text),
            Help::Command(command) => Self::Command(command_to_wit(command)),
        }
    }
}
