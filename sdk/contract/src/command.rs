//! Commands for a person to run, as values: a program and its arguments.

use crate::quoted;
use crate::word::{Piece, Value, Word, pipeline};

/// A command that a person is to run: a program and its arguments, never a line of text.
///
/// ```
/// use sidestep_contract::Command;
///
/// let enable = |account: &str, project: Option<&str>| {
///     Command::new(&["gcloud", "iam", "service-accounts", "enable"])
///         .value(account)
///         .option("--project", project)
///         .build()
/// };
/// assert_eq!(
///     enable("b@demo.iam.gserviceaccount.com", Some("demo")).map(|c| c.to_line()).as_deref(),
///     Some("gcloud iam service-accounts enable b@demo.iam.gserviceaccount.com --project demo")
/// );
/// assert_eq!(enable("123@developer.gserviceaccount.com", None), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "json",
    derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)
)]
pub struct Command {
    /// The program and its arguments.
    command: Vec<Word>,
    /// The commands whose output the program reads, each its program and arguments.
    #[cfg_attr(
        feature = "json",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    input: Vec<Vec<String>>,
}

impl Command {
    /// Starts a command with fixed words.
    #[expect(clippy::new_ret_no_self, reason = "a command is built of its values")]
    pub fn new(words: &[&'static str]) -> Builder {
        Builder::default().words(words)
    }

    /// Returns a command of fixed words.
    pub fn fixed(words: &[&'static str]) -> Self {
        let text = |word: &&str| Word::Text((*word).to_owned());
        Self {
            command: words.iter().map(text).collect(),
            input: Vec::new(),
        }
    }

    /// Returns the command that another process described: its words, and the commands whose output
    /// it reads. Returns `None` if there are no words.
    pub fn from_parts(words: Vec<Vec<Piece>>, input: Vec<Vec<String>>) -> Option<Self> {
        let command: Vec<Word> = words.into_iter().map(Word::from).collect();
        (!command.is_empty()).then_some(Self { command, input })
    }

    /// Returns the words, and the commands whose output the program reads.
    pub fn into_parts(self) -> (Vec<Vec<Piece>>, Vec<Vec<String>>) {
        let words = self.command.into_iter().map(Word::into_pieces).collect();
        (words, self.input)
    }

    /// Returns the name of the program, or `None` if another command prints it.
    pub fn program(&self) -> Option<&str> {
        match self.command.first() {
            Some(Word::Text(program)) => Some(program),
            _ => None,
        }
    }

    /// Returns the output of this command as a value for another command's word. Returns `None` if
    /// a word of this command is itself the output of a command.
    pub fn output(self) -> Option<Value> {
        let output = self.plain()?;
        Some(Value(Some(Word::Pieces(vec![Piece::Output { output }]))))
    }

    /// Returns the command as one line for a POSIX shell.
    pub fn to_line(&self) -> String {
        self.written(quoted)
    }

    /// Returns the command as one line, with each text written by `quote`.
    pub fn written(&self, quote: impl Fn(&str) -> String) -> String {
        let words: Vec<String> = self.command.iter().map(|w| w.written(&quote)).collect();
        let line = words.join(" ");
        if self.input.is_empty() {
            return line;
        }
        format!("{} | {line}", pipeline(&self.input, &quote))
    }

    /// Returns every text of the command for changes in place, such as masking.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let words = self.command.iter_mut().flat_map(Word::texts_mut);
        words.chain(self.input.iter_mut().flatten())
    }

    /// Returns the commands whose output this one reads, followed by this command, as plain words.
    fn plain(self) -> Option<Vec<Vec<String>>> {
        let text = |word| match word {
            Word::Text(text) => Some(text),
            Word::Pieces(_) => None,
        };
        let words = self.command.into_iter().map(text).collect::<Option<_>>()?;
        let mut commands = self.input;
        commands.push(words);
        Some(commands)
    }
}

/// Builds a command from values.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    words: Vec<Word>,
    input: Vec<Vec<String>>,
    /// Whether a value was empty, unknown, or would be parsed as an option.
    hole: bool,
}

impl Builder {
    /// Adds fixed words.
    #[must_use]
    pub fn words(mut self, words: &[&'static str]) -> Self {
        let text = |word: &&str| Word::Text((*word).to_owned());
        self.words.extend(words.iter().map(text));
        self
    }

    /// Adds a value as a separate argument. A value that begins with `-` would be parsed as an
    /// option, so the command is not built.
    #[must_use]
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.hole |= value.text().is_some_and(|text| text.starts_with('-'));
        self.push(value)
    }

    /// Adds an option and its value, as two words.
    #[must_use]
    pub fn option(self, name: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        match value.text() {
            // With `=`, the text is parsed as a value.
            Some(text) if text.starts_with('-') => self.joined([name.into(), "=".into(), value]),
            _ => self.words(&[name]).push(value),
        }
    }

    /// Adds one word made of several parts.
    #[must_use]
    pub fn joined(self, parts: impl IntoIterator<Item = Value>) -> Self {
        self.push(Value::joined(parts))
    }

    /// Makes the command read the output of another.
    #[must_use]
    pub fn reading(mut self, from: Option<Command>) -> Self {
        match from.and_then(Command::plain) {
            Some(input) => self.input = input,
            None => self.hole = true,
        }
        self
    }

    /// Returns the command, or `None` if a value is empty or unknown.
    pub fn build(self) -> Option<Command> {
        (!self.hole && !self.words.is_empty()).then_some(Command {
            command: self.words,
            input: self.input,
        })
    }

    fn push(mut self, value: Value) -> Self {
        match value.0 {
            Some(word) => self.words.push(word),
            None => self.hole = true,
        }
        self
    }
}
