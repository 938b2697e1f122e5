//! The words of a command.

/// One argument of a command, or its program.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "json",
    derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema),
    serde(untagged)
)]
pub enum Word {
    /// A text.
    Text(String),
    /// Pieces, one after another.
    Pieces(Vec<Piece>),
}

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "json",
    derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema),
    serde(untagged)
)]
pub enum Piece {
    /// A text.
    Text(String),
    /// The output of other commands, for a value that only the reader of the help can look up.
    Output {
        /// The commands, each its program and arguments; each reads the output of the one before.
        output: Vec<Vec<String>>,
    },
}

impl From<Vec<Piece>> for Word {
    /// Joins adjacent texts.
    fn from(pieces: Vec<Piece>) -> Self {
        let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match (joined.last_mut(), piece) {
                (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
                (_, piece) => joined.push(piece),
            }
        }
        match joined.as_mut_slice() {
            [] => Self::Text(String::new()),
            [Piece::Text(text)] => Self::Text(std::mem::take(text)),
            _ => Self::Pieces(joined),
        }
    }
}

impl Word {
    /// Returns the pieces. A text is a single piece.
    pub fn into_pieces(self) -> Vec<Piece> {
        match self {
            Self::Text(text) => vec![Piece::Text(text)],
            Self::Pieces(pieces) => pieces,
        }
    }

    /// Returns every text of the word for changes in place.
    pub(crate) fn texts_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::Text(text) => vec![text],
            Self::Pieces(pieces) => pieces.iter_mut().flat_map(Piece::texts_mut).collect(),
        }
    }

    /// Returns the word in shell syntax.
    pub(crate) fn written(&self, quote: &impl Fn(&str) -> String) -> String {
        match self {
            Self::Text(text) => quote(text),
            Self::Pieces(pieces) => pieces.iter().map(|piece| piece.written(quote)).collect(),
        }
    }
}

impl Piece {
    fn texts_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::Text(text) => vec![text],
            Self::Output { output } => output.iter_mut().flatten().collect(),
        }
    }

    fn written(&self, quote: &impl Fn(&str) -> String) -> String {
        match self {
            Self::Text(text) => quote(text),
            Self::Output { output } => format!("\"$({})\"", pipeline(output, quote)),
        }
    }
}

/// Returns a pipeline in shell syntax: each command reads the output of the one before.
pub(crate) fn pipeline(commands: &[Vec<String>], quote: &impl Fn(&str) -> String) -> String {
    let line = |words: &Vec<String>| {
        let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
        words.join(" ")
    };
    commands.iter().map(line).collect::<Vec<_>>().join(" | ")
}

/// A value for a command: a word, or a hole if the value is empty or unknown. A command with a hole
/// is not built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(pub(crate) Option<Word>);

impl Value {
    /// Joins values into one. The result is a hole if any of them is.
    pub fn joined(parts: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        let mut pieces = Vec::new();
        for part in parts {
            match part.into().0 {
                Some(word) => pieces.extend(word.into_pieces()),
                None => return Self(None),
            }
        }
        Self(Some(Word::from(pieces)))
    }

    /// Returns a word that the reader replaces with a name: `USER`. A name that is not in capitals
    /// makes a hole.
    pub fn to_replace(name: &'static str) -> Self {
        let capital = |c: char| c.is_ascii_uppercase() || c == '_';
        let is_one = !name.is_empty() && name.chars().all(capital);
        Self(is_one.then(|| Word::Text(name.to_owned())))
    }

    /// Returns the text, or `None` if the value is a hole or is looked up when the command runs.
    pub fn text(&self) -> Option<&str> {
        match &self.0 {
            Some(Word::Text(text)) => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        let known = !text.trim().is_empty();
        Self(known.then(|| Word::Text(text.to_owned())))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&Self> for Value {
    fn from(value: &Self) -> Self {
        value.clone()
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(known: Option<T>) -> Self {
        known.map_or(Self(None), Into::into)
    }
}
