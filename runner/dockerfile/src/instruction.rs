//! What instructions say.

use crate::{Flag, Heredoc, Word};

/// One instruction.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// Its keyword, as written.
    pub keyword: Word,
    /// All of its line, continuations joined; here-documents aside.
    pub text: String,
    /// Its first line, from 1.
    pub line: usize,
    /// Its flags.
    pub flags: Vec<Flag>,
    /// The here-documents that its line begins.
    pub heredocs: Vec<Heredoc>,
    /// What it says.
    pub kind: Kind,
}

/// What an instruction says.
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
    /// The instruction that a later build runs.
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
    /// What this stage is called, as written; names of stages know no case.
    pub name: Option<Word>,
}

/// `COPY` and `ADD`.
#[derive(Debug, Clone)]
pub struct Copying {
    /// What to copy.
    pub sources: Vec<Source>,
    /// Where to.
    pub destination: Word,
}

/// Something to copy.
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
    /// Its name.
    pub name: Word,
    /// Its default, if it has one.
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
    /// A line for the shell.
    Shell(Word),
}

/// `HEALTHCHECK`.
#[derive(Debug, Clone)]
pub enum Healthcheck {
    /// Without one, whatever the base image has.
    None,
    /// By a command.
    Command(Command),
}

impl Instruction {
    /// The flag of that name.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }
}
