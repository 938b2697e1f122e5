//! Parsed instructions.

use crate::{Flag, Heredoc, Word};

/// An instruction.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// The keyword, as written.
    pub keyword: Word,
    /// The whole line with continuations joined, without here-documents.
    pub text: String,
    /// The first line's number, from 1.
    pub line: usize,
    /// The instruction's flags.
    pub flags: Vec<Flag>,
    /// The here-documents that the line begins.
    pub heredocs: Vec<Heredoc>,
    /// The instruction's kind and arguments.
    pub kind: Kind,
}

/// The kind and arguments of an instruction.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "they are the keywords")]
pub enum Kind {
    Add(Copying),
    Arg(Vec<Variable>),
    Cmd(Command),
    Copy(Copying),
    Entrypoint(Command),
    Env(Vec<Pair>),
    Expose(Vec<Word>),
    From(From),
    Healthcheck(Healthcheck),
    Label(Vec<Pair>),
    Maintainer(Word),
    /// The instruction for builds on the image.
    Onbuild(String),
    Run(Command),
    Shell(Vec<Word>),
    Stopsignal(Word),
    User(Word),
    Volume(Vec<Word>),
    Workdir(Word),
}

/// `FROM`.
#[derive(Debug, Clone)]
pub struct From {
    /// The image or the stage, as written.
    pub image: Word,
    /// The name of this stage, as written; names of stages are case-insensitive.
    pub name: Option<Word>,
}

/// `COPY` and `ADD`.
#[derive(Debug, Clone)]
pub struct Copying {
    /// The sources.
    pub sources: Vec<Source>,
    /// The destination.
    pub destination: Word,
}

/// A source of a copy.
#[derive(Debug, Clone)]
pub enum Source {
    /// A path or an URL.
    Path(Word),
    /// A here-document.
    Heredoc(Heredoc),
}

/// An argument's name and default.
#[derive(Debug, Clone)]
pub struct Variable {
    /// The argument's name.
    pub name: Word,
    /// The argument's default, if it has one.
    pub default: Option<Word>,
}

/// A name and a value.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The name.
    pub name: Word,
    /// The value, as written.
    pub value: Word,
}

/// A command.
#[derive(Debug, Clone)]
pub enum Command {
    /// A program and its arguments.
    Exec(Vec<Word>),
    /// A shell command line.
    Shell(Word),
}

/// `HEALTHCHECK`.
#[derive(Debug, Clone)]
pub enum Healthcheck {
    /// `NONE`: disables the base image's check.
    None,
    /// A check by a command.
    Command(Command),
}

impl Instruction {
    /// Returns the flag with that name.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }
}
