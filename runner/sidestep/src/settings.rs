//! Settings. The order of precedence is: flag, environment, the project's file, the user's file,
//! the machine's file. The machine's file can lock settings against all others. The project's file
//! can't set where credentials are sent.

mod file;
pub(crate) mod known;
mod places;
mod reach;
mod resolve;
mod rows;
mod source;
mod units;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use sidestep_engine::Ceilings;
use sidestep_events::Diagnostic;
use sidestep_files::Patterns;
use sidestep_host::CompileLimits;

pub use file::ClusterAccess;
pub use places::{KnownFile, Places};
pub use rows::Row;
pub use source::{Setting, Source};
pub use units::{Limit, Size, SizeFrom, Time};

use file::{File, Unused, Whose};
use known::Known;
use reach::{clusters, endpoints};
use resolve::{Resolver, or_default, wrong};

/// The default number of steps that run in parallel.
const MAX_PARALLEL: usize = 8;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The effect of SIGTERM and SIGHUP. SIGINT always cancels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnTerminate {
    /// Stop the steps and clean up.
    #[default]
    Cancel,
    /// Leave pods running, so that the run can be resumed.
    Detach,
}

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of runs; `None` if neither `HOME` nor a setting names it.
    pub state: Option<Setting<PathBuf>>,
    /// Files outside of the workspace that a pipeline may name as secrets.
    pub secret_files: Setting<Patterns>,
    /// When to use colours.
    pub color: Setting<Color>,
    /// The maximum number of steps that run in parallel.
    pub max_parallel: Setting<usize>,
    /// The effect of SIGTERM and SIGHUP.
    pub on_terminate: Setting<OnTerminate>,
    /// The maximum size of a run's journal, in bytes.
    pub journal_limit: Setting<Limit>,
    /// The maximum size of all of a run's log files together, in bytes.
    pub log_limit: Setting<Limit>,
    /// The maximum CPU time for compiling one plugin.
    pub compile_time: Setting<Time>,
    /// The maximum memory for compiling one plugin.
    pub compile_memory: Setting<Size>,
    /// The maximum memory of all steps that run in parallel. If not set, half of the available
    /// memory.
    pub memory: Option<Setting<Size>>,
    /// Custom addresses of services, by service name: `STORAGE`, `IAM`.
    pub endpoints: BTreeMap<String, Setting<String>>,
    /// The access to the clusters that pipelines refer to, by the names in the pipelines.
    pub clusters: BTreeMap<String, Setting<ClusterAccess>>,
    /// Files that are ignored, and why.
    pub warnings: Vec<Diagnostic>,
    locked: Vec<String>,
}

impl Settings {
    /// Resolves all settings; `color` is the flag. Returns all problems at once, which mean exit
    /// code 6.
    pub fn load(
        color: Option<Color>,
        places: &Places,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut warnings = Vec::new();
        let mut read = |path: &Path, whose| match File::read(path, whose) {
            Ok(file) => file,
            Err(Unused::Wrong(problem)) => {
                problems.push(*problem);
                File::default()
            }
            Err(Unused::NotOwn(warning)) => {
                warnings.push(*warning);
                File::default()
            }
        };
        let project = read(&places.project_config, Whose::Project);
        let user_config = places.user_config.as_deref();
        let user = user_config.map(|path| read(path, Whose::User));
        let user = user.unwrap_or_default();
        let machine = read(&places.machine_config, Whose::Machine);
        let user_config = user_config.unwrap_or(Path::new(""));
        let resolver = Resolver {
            files: [
                (&project, &places.project_config),
                (&user, user_config),
                (&machine, &places.machine_config),
            ],
            env: &env,
        };
        let state = state(&resolver, places, &mut problems);
        let color = resolver.pick(
            &known::COLOR,
            &mut problems,
            color,
            |text| Color::from_str(text, false),
            |file| file.color,
        );
        let max_parallel = resolver.pick(
            &known::MAX_PARALLEL,
            &mut problems,
            None,
            |text| match usize::from_str(text) {
                Ok(0) | Err(_) => Err("a whole number from 1".to_owned()),
                Ok(number) => Ok(number),
            },
            |file| file.max_parallel.map(std::num::NonZero::get),
        );
        let on_terminate = resolver.pick(
            &known::ON_TERMINATE,
            &mut problems,
            None,
            |text| OnTerminate::from_str(text, false),
            |file| file.on_terminate,
        );
        let compile_time = resolver.pick(
            &known::COMPILE_TIME,
            &mut problems,
            None,
            Time::from_str,
            |file| file.compile_time,
        );
        let compile_memory = resolver.pick(
            &known::COMPILE_MEMORY,
            &mut problems,
            None,
            Size::from_str,
            |file| file.compile_memory,
        );
        let memory = resolver.pick(
            &known::MEMORY,
            &mut problems,
            None,
            Size::from_str,
            |file| file.memory,
        );
        let secret_files = resolver.pick(
            &known::SECRET_FILES,
            &mut problems,
            None,
            |text| Patterns::parse(text.split(':')),
            |file| file.secret_files.clone(),
        );
        let compile = CompileLimits::default();
        let journal_limit = resolver.pick(
            &known::JOURNAL_LIMIT,
            &mut problems,
            None,
            Limit::from_str,
            |file| file.journal_limit,
        );
        let log_limit = resolver.pick(
            &known::LOG_LIMIT,
            &mut problems,
            None,
            Limit::from_str,
            |file| file.log_limit,
        );
        let ceilings = Ceilings::default();
        let settings = Self {
            state,
            color: or_default(color, Color::Auto),
            max_parallel: or_default(max_parallel, MAX_PARALLEL),
            on_terminate: or_default(on_terminate, OnTerminate::Cancel),
            journal_limit: or_default(journal_limit, SizeFrom(ceilings.journal)),
            log_limit: or_default(log_limit, SizeFrom(ceilings.logs)),
            compile_time: or_default(compile_time, Time(compile.time)),
            compile_memory: or_default(compile_memory, SizeFrom(compile.memory)),
            memory,
            secret_files: or_default(secret_files, Patterns::default()),
            endpoints: endpoints(&user, user_config, &machine, places, &env),
            clusters: clusters(&user, user_config, &machine, places),
            warnings,
            locked: machine.lock.clone(),
        };
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(problems)
        }
    }

    /// Applies a flag of one command, unless the setting is locked.
    pub fn flag<T>(&self, known: &Known, setting: &Setting<T>, flag: Option<T>) -> Setting<T>
    where
        T: Clone,
    {
        match flag {
            Some(value) if !self.is_locked(known.name) => Setting {
                value,
                source: Source::Flag(known.flag.unwrap_or_default()),
            },
            _ => setting.clone(),
        }
    }

    /// Returns the custom address of a service, if one is set.
    pub fn endpoint(&self, name: &str) -> Option<&str> {
        self.endpoints.get(name).map(|found| found.value.as_str())
    }

    fn is_locked(&self, name: &str) -> bool {
        let whole = name.split('.').next();
        let locks = |lock: &String| lock == name || Some(lock.as_str()) == whole;
        self.locked.iter().any(locks)
    }
}

/// Returns the folder of runs. A relative path is relative to the workspace.
fn state(
    resolver: &Resolver<'_>,
    places: &Places,
    problems: &mut Vec<Diagnostic>,
) -> Option<Setting<PathBuf>> {
    let state = resolver.pick(
        &known::STATE,
        problems,
        None,
        |text| Ok::<_, String>(text.to_owned()),
        |file| file.state.clone(),
    );
    if let Some(found) = state {
        let value = folder(&found.value).unwrap_or_else(|problem| {
            problems.push(wrong(known::STATE.name, &found.source, problem));
            PathBuf::new()
        });
        return Some(Setting {
            value: places.workspace.join(value),
            source: found.source,
        });
    }
    Some(or_default(None, places.runs()?))
}

/// Parses the folder in `dir:PATH`.
fn folder(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("dir:") {
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ => Err(format!("`{text}` is not of the form dir:PATH")),
    }
}

/// Returns whether an environment variable sets a setting.
pub(crate) fn is_variable(name: &str) -> bool {
    let of_endpoint = name
        .strip_prefix(reach::VARIABLE)
        .is_some_and(|service| ENDPOINTS.contains(&service));
    of_endpoint || known::ALL.iter().any(|known| known.variable == Some(name))
}

/// The services whose addresses can be changed.
pub const ENDPOINTS: [&str; 12] = [
    "STORAGE",
    "IAM",
    "IAMCREDENTIALS",
    "STS",
    "SECURETOKEN",
    "CONTAINER",
    "CLOUDRESOURCEMANAGER",
    "SERVICEUSAGE",
    "ARTIFACTREGISTRY",
    "SECRETMANAGER",
    "REGISTRY",
    "METADATA",
];

#[cfg(test)]
mod tests;
