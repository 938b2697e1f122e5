//! What instructions say, and what makes one of them none.

use crate::{
    Error, Flag, Heredoc, Word,
    duration::duration,
    flags::{check, known},
    node::{Node, Rest},
    suggest::suggestion,
};

/// Every keyword, in small letters.
const KEYWORDS: [&str; 18] = [
    "add",
    "arg",
    "cmd",
    "copy",
    "entrypoint",
    "env",
    "expose",
    "from",
    "healthcheck",
    "label",
    "maintainer",
    "onbuild",
    "run",
    "shell",
    "stopsignal",
    "user",
    "volume",
    "workdir",
];

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
    /// Makes sense of a node. The error is the parser's, with its line.
    pub(crate) fn new(node: Node) -> Result<Self, Error> {
        let (line, at) = (node.number, node.keyword.at);
        Self::read(node).map_err(|mut error| {
            if error.at == usize::MAX {
                error.at = at;
            }
            error.line = Some(line);
            error
        })
    }

    /// The flag of that name.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }

    fn read(node: Node) -> Result<Self, Error> {
        let lower = node.keyword.text.to_lowercase();
        if !KEYWORDS.contains(&lower.as_str()) {
            let near = suggestion(&node.keyword.text, KEYWORDS, false);
            return fault(format!("unknown instruction: {}{near}", node.keyword.text));
        }
        let Node {
            keyword,
            text,
            number,
            flags,
            rest,
            heredocs,
        } = node;
        let is_none =
            matches!(&rest, Rest::Check(kind, _) if kind.text.eq_ignore_ascii_case("none"));
        let name = lower.to_uppercase();
        // What it needs is asked for before its flags are, in all but a few.
        let checks_flags = || match known(&lower) {
            Some(known) if !is_none => check(&flags, known),
            _ => Ok(()),
        };
        let kind = match (lower.as_str(), rest) {
            ("add" | "copy", rest) => {
                let words = words(rest);
                if words.len() < 2 {
                    return fault(format!(
                        "{name} requires at least two arguments, but only one was provided. Destination could not be determined"
                    ));
                }
                checks_flags()?;
                let copying = copying(words, &heredocs, &name)?;
                if lower == "add" {
                    Kind::Add(copying)
                } else {
                    Kind::Copy(copying)
                }
            }
            ("arg", rest) => Kind::Arg(arguments(words(rest))?),
            ("env" | "label", rest) => {
                checks_flags()?;
                let Rest::Pairs(pairs) = rest else {
                    return at_least_one(&name);
                };
                if pairs.is_empty() {
                    return at_least_one(&name);
                }
                if let Some(pair) = pairs.iter().find(|pair| pair.name.text.is_empty()) {
                    return Err(Error::new(
                        pair.name.at,
                        format!("{name} names can not be blank"),
                    ));
                }
                if lower == "env" {
                    Kind::Env(pairs)
                } else {
                    Kind::Label(pairs)
                }
            }
            ("from", rest) => {
                let from = from(words(rest))?;
                checks_flags()?;
                Kind::From(from)
            }
            ("healthcheck", rest) => {
                if let Rest::Check(..) = &rest {
                    checks_flags()?;
                }
                Kind::Healthcheck(healthcheck(rest, &flags)?)
            }
            ("onbuild", Rest::Trigger(trigger)) => {
                checks_flags()?;
                Kind::Onbuild(onbuild(&trigger, &heredocs)?)
            }
            ("onbuild", _) => return at_least_one(&name),
            ("cmd", rest) => {
                checks_flags()?;
                Kind::Cmd(command(rest, &keyword))
            }
            ("entrypoint", rest) => {
                checks_flags()?;
                Kind::Entrypoint(command(rest, &keyword))
            }
            ("run", rest) => {
                checks_flags()?;
                run_flags(&flags)?;
                Kind::Run(command(rest, &keyword))
            }
            ("shell", rest) => {
                checks_flags()?;
                match rest {
                    Rest::List(list) if !list.is_empty() => Kind::Shell(list),
                    Rest::Text(_) => {
                        return fault("SHELL requires the arguments to be in JSON form");
                    }
                    _ => return at_least_one(&name),
                }
            }
            ("expose" | "volume", rest) => {
                let words = words(rest);
                if words.is_empty() {
                    return at_least_one(&name);
                }
                checks_flags()?;
                if lower == "expose" {
                    Kind::Expose(words)
                } else if words.iter().any(|word| word.text.trim().is_empty()) {
                    return fault("VOLUME specified can not be an empty string");
                } else {
                    Kind::Volume(words)
                }
            }
            (_, Rest::Text(word)) => {
                checks_flags()?;
                match lower.as_str() {
                    "maintainer" => Kind::Maintainer(word),
                    "stopsignal" => Kind::Stopsignal(word),
                    "user" => Kind::User(word),
                    _ => Kind::Workdir(word),
                }
            }
            _ => return fault(format!("{name} requires exactly one argument")),
        };
        Ok(Self {
            keyword,
            text,
            line: number,
            flags,
            heredocs,
            kind,
        })
    }
}

/// At the instruction's beginning.
fn fault<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::new(usize::MAX, message))
}

fn at_least_one<T>(name: &str) -> Result<T, Error> {
    fault(format!("{name} requires at least one argument"))
}

fn words(rest: Rest) -> Vec<Word> {
    match rest {
        Rest::Words(words) | Rest::List(words) => words,
        _ => Vec::new(),
    }
}

fn command(rest: Rest, keyword: &Word) -> Command {
    match rest {
        Rest::List(list) => Command::Exec(list),
        Rest::Text(text) => Command::Shell(text),
        _ => Command::Shell(Word {
            text: String::new(),
            at: keyword.at,
        }),
    }
}

fn copying(mut words: Vec<Word>, heredocs: &[Heredoc], name: &str) -> Result<Copying, Error> {
    let of_word = |word: &Word| Heredoc::of_word(&word.text).ok().flatten();
    let destination = words.pop().expect("two words, as was just asked");
    if of_word(&destination).is_some() {
        let message = format!("{name} cannot accept a heredoc as a destination");
        return Err(Error::new(destination.at, message));
    }
    let sources = words.into_iter().map(|word| match of_word(&word) {
        // Of two by one name, the last counts.
        Some(begun) => {
            let read = heredocs.iter().rfind(|read| read.name == begun.name);
            Source::Heredoc(Heredoc {
                text: read.map(|read| read.text.clone()).unwrap_or_default(),
                at: read.map_or(word.at, |read| read.at),
                ..begun
            })
        }
        None => Source::Path(word),
    });
    Ok(Copying {
        sources: sources.collect(),
        destination,
    })
}

fn arguments(words: Vec<Word>) -> Result<Vec<Variable>, Error> {
    if words.is_empty() {
        return at_least_one("ARG");
    }
    let variables = words
        .into_iter()
        .map(|word| match word.text.split_once('=') {
            Some(("", _)) => Err(Error::new(word.at, "ARG names can not be blank")),
            Some((name, default)) => Ok(Variable {
                default: Some(Word {
                    text: default.to_owned(),
                    at: word.at + name.len() + 1,
                }),
                name: Word {
                    text: name.to_owned(),
                    at: word.at,
                },
            }),
            None => Ok(Variable {
                name: word,
                default: None,
            }),
        });
    variables.collect()
}

fn from(words: Vec<Word>) -> Result<From, Error> {
    let mut words = words.into_iter();
    let (image, as_, name) = (words.next(), words.next(), words.next());
    let name = match (as_, name, words.next()) {
        (None, _, _) => None,
        (Some(as_), Some(name), None) if as_.text.eq_ignore_ascii_case("as") => {
            if !is_stage_name(&name.text) {
                let message = format!(
                    "invalid name for build stage: {:?}, name can't start with a number or contain symbols",
                    name.text
                );
                return Err(Error::new(name.at, message));
            }
            Some(name)
        }
        _ => return fault("FROM requires either one or three arguments"),
    };
    match image {
        Some(image) => Ok(From { image, name }),
        None => fault("FROM requires either one or three arguments"),
    }
}

fn is_stage_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn onbuild(trigger: &Node, heredocs: &[Heredoc]) -> Result<String, Error> {
    match trigger.keyword.text.to_uppercase().as_str() {
        "ONBUILD" => {
            return Err(Error::new(
                trigger.keyword.at,
                "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
            ));
        }
        keyword @ ("MAINTAINER" | "FROM") => {
            let message = format!("{keyword} isn't allowed as an ONBUILD trigger");
            return Err(Error::new(trigger.keyword.at, message));
        }
        _ => {}
    }
    let mut text = trigger.text.clone();
    for heredoc in heredocs {
        text.push('\n');
        text.push_str(&heredoc.text);
        text.push_str(&heredoc.name);
    }
    Ok(text)
}

fn healthcheck(rest: Rest, flags: &[Flag]) -> Result<Healthcheck, Error> {
    let Rest::Check(kind, rest) = rest else {
        return at_least_one("HEALTHCHECK");
    };
    let upper = kind.text.to_uppercase();
    let is_empty = match &*rest {
        Rest::Words(words) | Rest::List(words) => words.is_empty(),
        _ => false,
    };
    match upper.as_str() {
        "NONE" if is_empty => return Ok(Healthcheck::None),
        "NONE" => return Err(Error::new(kind.at, "HEALTHCHECK NONE takes no arguments")),
        "CMD" if is_empty => {
            return Err(Error::new(kind.at, "Missing command after HEALTHCHECK CMD"));
        }
        "CMD" => {}
        _ => {
            let message = format!("Unknown type {upper:?} in HEALTHCHECK (try CMD)");
            return Err(Error::new(kind.at, message));
        }
    }
    for flag in flags {
        let value = flag.value.as_deref().unwrap_or_default();
        let fault = |message: String| Err(Error::new(flag.at, message));
        if flag.name == "retries" {
            match value.parse::<i32>() {
                Ok(count) if count < 0 => {
                    return fault(format!("--retries cannot be negative ({count})"));
                }
                Err(_) if !value.is_empty() => {
                    return fault(format!(
                        "strconv.ParseInt: parsing {value:?}: invalid syntax"
                    ));
                }
                _ => {}
            }
        } else if !value.is_empty() {
            match duration(value) {
                Err(why) => return fault(why),
                Ok(time) if time != 0 && time < 1_000_000 => {
                    return fault(format!("Interval {:?} cannot be less than 1ms", flag.name));
                }
                Ok(_) => {}
            }
        }
    }
    Ok(Healthcheck::Command(command(*rest, &kind)))
}

/// The flags of `RUN` whose values are looked at before anything is built.
fn run_flags(flags: &[Flag]) -> Result<(), Error> {
    for flag in flags {
        let value = flag.value.as_deref().unwrap_or_default();
        let fault = |message: String| Err(Error::new(flag.at, message));
        match flag.name.as_str() {
            "network" if !["default", "none", "host"].contains(&value) => {
                return fault(format!("invalid network mode {value:?}"));
            }
            "security" if !["insecure", "sandbox"].contains(&value) => {
                return fault(format!("security {value:?} is not valid"));
            }
            "mount" => {
                for (key, value) in value.split(',').filter_map(|field| field.split_once('=')) {
                    let variable = value.find('$').is_some_and(|at| at + 1 != value.len());
                    if key.eq_ignore_ascii_case("from") && variable {
                        return fault(format!(
                            "'{}' doesn't support variable expansion, define alias stage instead",
                            key.to_lowercase()
                        ));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
