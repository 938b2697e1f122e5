//! The checks that turn a line into an instruction.

mod checks;
mod parts;

use crate::{
    Command, Error, Instruction, Kind, Word,
    flags::{check, known},
    node::{Node, Rest},
    suggest::suggestion,
};
use checks::{healthcheck, run_flags};
use parts::{arguments, copying, from, onbuild};

/// Every keyword, in lower case.
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

impl Instruction {
    /// Converts a node. The error is the parser's, with its line.
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
        // Most instructions check their arguments before their flags.
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

/// Returns an error at the instruction's beginning.
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
