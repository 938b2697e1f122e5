//! The arguments of `cargo xtask cluster`.

use std::path::PathBuf;

use super::cluster_folder::ClusterFolder;
use super::{API_ONLY, Extent};
use crate::Result;

pub(super) const USAGE: &str = "\
cargo xtask cluster up      start a cluster in namespaces of its own; with --api-only, etcd and the
                            API server alone
cargo xtask cluster exec    run a command in its namespaces, with its KUBECONFIG: exec kubectl get pods
cargo xtask cluster stop    kill one of its parts, such as `kubelet`, which stays down until it is started
cargo xtask cluster start   start a stopped part again
cargo xtask cluster status  list the clusters
cargo xtask cluster down    end it, and remove everything that it left
cargo xtask cluster build   build its programs into the tool cache, and print where they are
cargo xtask cluster check   tell whether this machine can run a cluster, and why not

up, exec, stop, start and down take --name NAME before other arguments; the name is `default` without it";

const DEFAULT: &str = "default";

/// A command of a user, or of this program to itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Build(Extent),
    /// Succeeds if this machine can run a cluster of that extent, and its programs are built.
    Check(Extent),
    /// Prints the archive of the image of Google's clients.
    Clients,
    Up {
        name: String,
        extent: Extent,
    },
    Down {
        name: String,
    },
    Status,
    /// Kills a part. It stays down until it is started.
    Stop {
        place: ClusterFolder,
        part: String,
    },
    /// Starts a stopped part.
    Start {
        place: ClusterFolder,
        part: String,
    },
    Exec {
        name: String,
        /// The folder of a cluster without a name.
        folder: Option<PathBuf>,
        words: Vec<String>,
    },
    /// Becomes the keeper of a cluster in a folder. Prints `ready`, or a line that begins with
    /// `error: `. The cluster ends when standard input does, unless a line came before.
    Keep {
        folder: PathBuf,
        extent: Extent,
    },
    /// Becomes process 1 of a cluster.
    First {
        folder: PathBuf,
        extent: Extent,
    },
    /// Sets a cluster up in the current namespaces, and runs it.
    Node {
        folder: PathBuf,
        extent: Extent,
    },
}

/// Parses the arguments after `cluster`.
pub(super) fn parse(arguments: &[String]) -> Result<Command> {
    let Some((task, mut rest)) = arguments.split_first() else {
        return Ok(Command::Help);
    };
    let mut name = DEFAULT.to_owned();
    let mut extent = Extent::Node;
    let mut folder = None;
    while let [option, more @ ..] = rest {
        match (option.as_str(), more) {
            ("--name", [given, more @ ..]) => {
                name = checked(given)?;
                rest = more;
            }
            ("--state", [given, more @ ..]) => {
                folder = Some(PathBuf::from(given));
                rest = more;
            }
            (API_ONLY, more) => {
                extent = Extent::Api;
                rest = more;
            }
            _ => break,
        }
    }
    let internal =
        |folder: Option<PathBuf>| folder.ok_or_else(|| format!("`{task}` needs --state FOLDER"));
    if let "stop" | "start" = task.as_str() {
        return of_part(
            task,
            folder.map_or_else(|| ClusterFolder::named(&name), ClusterFolder::at),
            rest,
        );
    }
    let command = match task.as_str() {
        "exec" => {
            let words = match rest {
                [first, words @ ..] if first == "--" => words,
                words => words,
            };
            if words.is_empty() {
                return Err("`cluster exec` needs a command, such as `kubectl get pods`".to_owned());
            }
            let words = words.to_vec();
            return Ok(Command::Exec {
                name,
                folder,
                words,
            });
        }
        "up" => Command::Up { name, extent },
        "down" => Command::Down { name },
        "status" => Command::Status,
        "build" => Command::Build(extent),
        "check" => Command::Check(extent),
        "clients" => Command::Clients,
        "keep" => Command::Keep {
            folder: internal(folder)?,
            extent,
        },
        "first" => Command::First {
            folder: internal(folder)?,
            extent,
        },
        "node" => Command::Node {
            folder: internal(folder)?,
            extent,
        },
        "help" | "--help" | "-h" => Command::Help,
        _ => return Err(format!("no cluster command `{task}`\n\n{USAGE}")),
    };
    match rest.first() {
        None => Ok(command),
        Some(extra) => Err(format!("`cluster {task}` takes no `{extra}`\n\n{USAGE}")),
    }
}

/// Parses the name of a part.
fn of_part(task: &str, place: ClusterFolder, rest: &[String]) -> Result<Command> {
    let [part] = rest else {
        return Err(format!(
            "`cluster {task}` needs one part, such as `kubelet`"
        ));
    };
    let part = checked(part)?;
    Ok(match task {
        "stop" => Command::Stop { place, part },
        _ => Command::Start { place, part },
    })
}

/// Returns the line that a user types for a command on the cluster of that name.
pub(super) fn line(task: &str, name: &str) -> String {
    if name == DEFAULT {
        format!("cargo xtask cluster {task}")
    } else {
        format!("cargo xtask cluster {task} --name {name}")
    }
}

/// Returns the name if it can be the name of a folder.
fn checked(name: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.is_empty() && name.len() <= 40 && name.chars().all(plain) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "`{name}` cannot name a cluster: use up to 40 lower-case letters, digits and dashes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    fn name(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn options_stand_before_the_command_that_is_run_inside() {
        let exec = |line: &str| match parsed(line) {
            Ok(Command::Exec { name, words, .. }) => (name, words.join(" ")),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(
            exec("exec --name two kubectl get pods --name x"),
            (name("two"), name("kubectl get pods --name x"))
        );
        assert_eq!(exec("exec -- --name"), (name("default"), name("--name")));
        assert!(parsed("exec --name two").is_err());
    }

    #[test]
    fn a_cluster_has_a_name_and_an_extent() {
        let up = |name: &str, extent| {
            Ok(Command::Up {
                name: name.to_owned(),
                extent,
            })
        };
        assert_eq!(parsed("up"), up("default", Extent::Node));
        assert_eq!(parsed("up --api-only --name two"), up("two", Extent::Api));
        for wrong in ["up --name ../x", "up --name", "up now", "upp", "keep"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_part_is_stopped_or_started() {
        let place = ClusterFolder::at("/cluster".into());
        let part = name("kubelet");
        assert_eq!(
            parsed("stop --state /cluster kubelet"),
            Ok(Command::Stop { place, part })
        );
        for wrong in ["stop", "start a b", "stop ../kubelet"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn printed_commands_are_understood() {
        for cluster in [DEFAULT, "two"] {
            let line = line("down", cluster);
            let rest = line.strip_prefix("cargo xtask cluster ").expect(&line);
            assert_eq!(
                parsed(rest),
                Ok(Command::Down {
                    name: name(cluster)
                })
            );
        }
    }
}
