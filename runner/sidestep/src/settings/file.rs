use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use sidestep_events::{Diagnostic, Exit, Help, codes};
use sidestep_pipeline::{Source, read_values};

use sidestep_files::own::{self, NotOwn, OwnError};
use sidestep_files::{Folder, OpenError, Patterns};

use super::known::{self, Known, each_setting, unlockable};
use super::value::SettingValue;
use super::{
    Color, ENDPOINTS, GkeEndpoint, HelperImage, ImageNames, Limit, OnTerminate, Provider,
    ServiceAccount, Size, Time,
};

/// The maximum size of a settings file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Defines the form of a settings file.
macro_rules! file {
    ($($(#[$attribute:meta])* $field:ident: $type:ty = $default:expr, $known:ident;)*) => {
        /// A settings file.
        #[derive(Debug, Default, Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields, default)]
        pub(crate) struct File {
            /// `dir:PATH`.
            pub(super) state: Option<String>,
            $($(#[$attribute])* pub(super) $field: Option<<$type as SettingValue>::Written>,)*
            pub(super) endpoints: BTreeMap<String, String>,
            pub(super) clusters: BTreeMap<String, ClusterAccess>,
            /// Settings that no flag, variable or other file may change. Only valid in the
            /// machine's file.
            pub(super) lock: Vec<String>,
        }
    };
}
each_setting!(file);

/// The access to a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ClusterAccess {
    /// Through a context of the kubeconfig.
    Context(String),
    /// From within the cluster, with the pod's own service account.
    InCluster {},
}

impl fmt::Display for ClusterAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(context) => write!(f, "kubeconfig context {context}"),
            Self::InCluster {} => f.write_str("in cluster"),
        }
    }
}

/// The kind of a settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The workspace's file, which is trusted as much as a pipeline.
    Project,
    /// The user's file, which may set where credentials are sent.
    User,
    /// The machine's file, which may set where credentials are sent, and may lock settings.
    Machine,
}

/// The reason why a settings file is not used.
pub(super) enum Unused {
    /// The file is invalid, which stops everything.
    Wrong(Box<Diagnostic>),
    /// Another user can write the file, so it is ignored.
    NotOwn(Box<Diagnostic>),
}

impl File {
    /// Reads a settings file. A missing file sets nothing.
    pub(super) fn read(path: &Path, whose: Whose) -> Result<Self, Unused> {
        let problem = |message: String| {
            let wrong = Diagnostic::error(
                codes::settings::WRONG,
                format!("{}: {message}", path.display()),
            )
            .with_help("correct the file, or move it away")
            .with_exit(Exit::Configuration);
            Unused::Wrong(Box::new(wrong))
        };
        let text = match text(path, whose) {
            Ok(text) if text.trim().is_empty() => return Ok(Self::default()),
            Ok(text) => text,
            Err(Unread::Error(OpenError::NotFound)) => return Ok(Self::default()),
            Err(Unread::Error(error)) => return Err(problem(format!("can't be read: {error}"))),
            Err(Unread::NotOwn(not_own)) => {
                let warning = Diagnostic::warning(
                    codes::settings::NOT_OWN,
                    format!("the settings of {} are not used: {not_own}", path.display()),
                );
                let help = "read the file, then make yourself its only owner and writer:";
                return Err(Unused::NotOwn(Box::new(
                    warning.with_help(help).with_helps(not_own.repair()),
                )));
            }
        };
        let source = Source {
            name: path.display().to_string(),
            text,
        };
        let value = match read_values(&source) {
            Ok(Value::Null) => return Ok(Self::default()),
            Ok(mut value) => {
                // A key without a value, such as a list whose entries are commented out, sets
                // nothing.
                if let Value::Object(settings) = &mut value {
                    settings.retain(|_, setting| !setting.is_null());
                    unfold(settings, "identity");
                }
                value
            }
            Err(found) => return Err(problem(told(&found))),
        };
        let why_not = forbidden(&value, whose);
        let file: Self =
            serde_json::from_value(value).map_err(|error| problem(error.to_string()))?;
        if let Some(why) = why_not {
            return Err(problem(why));
        }
        if let Some(wrong) = file.lock.iter().find_map(|name| unlockable(name)) {
            return Err(problem(wrong));
        }
        let unknown = file
            .endpoints
            .keys()
            .find(|name| !ENDPOINTS.contains(&name.as_str()));
        if let Some(name) = unknown {
            return Err(problem(format!(
                "there is no endpoint `{name}`; the endpoints are {}",
                ENDPOINTS.join(", ")
            )));
        }
        Ok(file)
    }
}

/// Replaces a group of settings by its settings: `group: { name: value }` by `group.name: value`.
fn unfold(settings: &mut Map<String, Value>, group: &str) {
    // A value of another type is reported as an unknown setting.
    if let Some(Value::Object(within)) = settings.get(group) {
        let within: Vec<_> = within
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (format!("{group}.{name}"), value.clone()))
            .collect();
        settings.remove(group);
        settings.extend(within);
    }
}

/// Returns why a file of this kind may not set one of its settings, if that is so.
fn forbidden(set: &Value, whose: Whose) -> Option<String> {
    let sets = |known: &Known| set.get(known.name).is_some();
    if whose != Whose::Machine && sets(&known::LOCK) {
        return known::LOCK.operators.map(str::to_owned);
    }
    if whose != Whose::Project {
        return None;
    }
    let mut known = known::ALL.iter().filter(|known| sets(known));
    let why = known.find_map(|known| known.operators)?;
    Some(format!(
        "{why}, so a project's file can't set it; set it in the user's file, or with a SIDESTEP_ \
         variable"
    ))
}

/// Returns the problems of a file on one line.
fn told(found: &[Diagnostic]) -> String {
    let one = |problem: &Diagnostic| {
        let at = problem
            .at
            .map(|at| format!("line {}, column {}: ", at.line, at.column));
        let help: Vec<_> = problem.help.iter().map(Help::exact).collect();
        let help = match help.as_slice() {
            [] => String::new(),
            help => format!(" ({})", help.join(" ")),
        };
        format!(
            "{}{}{}",
            at.unwrap_or_default(),
            problem.message.exact(),
            help
        )
    };
    found.iter().map(one).collect::<Vec<_>>().join("; ")
}

enum Unread {
    Error(OpenError),
    NotOwn(NotOwn),
}

fn text(path: &Path, whose: Whose) -> Result<String, Unread> {
    let read = |file| sidestep_files::text(sidestep_files::read(file, MAX_BYTES)?);
    match whose {
        Whose::User | Whose::Machine => match own::open(path) {
            Ok(file) => read(file).map_err(Unread::Error),
            Err(OwnError::Io(error)) => Err(Unread::Error(error.into())),
            Err(OwnError::NotOwn(not_own)) => Err(Unread::NotOwn(not_own)),
        },
        // `.sidestep/config.yaml` comes from the repository's author, so it is read only inside the
        // workspace.
        Whose::Project => {
            let mut above = path.ancestors().skip(2);
            let workspace = above.next().unwrap_or(Path::new("."));
            let below = path.strip_prefix(workspace).unwrap_or(path);
            let folder = Folder::open(workspace).map_err(|error| Unread::Error(error.into()))?;
            folder.read_text(below, MAX_BYTES).map_err(Unread::Error)
        }
    }
}
