//! Settings. The order of precedence is: flag, environment, the project's file, the user's file,
//! the machine's file. The machine's file can lock settings against all others. The project's file
//! can't set where credentials are sent.

mod file;
mod job;
pub(crate) mod known;
mod places;
mod reach;
mod resolve;
mod rows;
mod source;
mod units;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use sidestep_contract::Image;
use sidestep_engine::Ceilings;
use sidestep_events::Diagnostic;
use sidestep_files::Patterns;
use sidestep_host::CompileLimits;

pub use file::ClusterAccess;
pub use job::{Provider, ServiceAccount};
pub use places::{KnownFile, Places};
pub use rows::Row;
pub use source::{Setting, Source};
pub use units::{Limit, Size, SizeFrom, Time};

use file::{File, Unused, Whose};
use known::{Known, each_setting};
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

/// The endpoint of GKE's clusters that the runner connects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GkeEndpoint {
    /// The first one that answers: public, DNS, private.
    #[default]
    Auto,
    /// The address on the internet.
    Public,
    /// The address in the cluster's network.
    Private,
    /// The name that Google's frontend serves.
    Dns,
}

/// The image of the runner itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct HelperImage(String);

impl std::str::FromStr for HelperImage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match Image::read(text) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(format!("`{text}` is not the name of an image")),
        }
    }
}

impl TryFrom<String> for HelperImage {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::fmt::Display for HelperImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names of images, without tags and digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageNames(Vec<String>);

impl ImageNames {
    /// Returns the names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Checks the names.
    fn parse(names: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let names: Vec<String> = names.into_iter().collect();
        for name in &names {
            let is_name = Image::read(name)
                .is_some_and(|image| image.tag.is_none() && image.digest.is_none());
            if !is_name {
                return Err(format!(
                    "`{name}` is not the name of an image without a tag, such as docker.io/library/busybox"
                ));
            }
        }
        Ok(Self(names))
    }
}

/// Defines the resolved settings.
macro_rules! settings {
    ($($(#[$_:meta])* $field:ident: $type:ty = $default:expr, $known:ident;)*) => {
        /// All settings.
        #[derive(Debug, Clone)]
        pub struct Settings {
            /// The folder of runs; `None` if neither `HOME` nor a setting names it.
            pub state: Option<Setting<PathBuf>>,
            $(
                #[doc = concat!("The setting `", stringify!($field), "`.")]
                pub $field: Setting<$type>,
            )*
            /// Custom addresses of services, by service name: `STORAGE`, `IAM`.
            pub endpoints: BTreeMap<String, Setting<String>>,
            /// The access to the clusters that pipelines refer to, by the names in the pipelines.
            pub clusters: BTreeMap<String, Setting<ClusterAccess>>,
            /// Files that are ignored, and why.
            pub warnings: Vec<Diagnostic>,
            locked: Vec<String>,
        }

        impl Settings {
            /// Resolves the settings with one value, and takes the others as they are.
            fn resolve(
                resolver: &Resolver<'_>,
                problems: &mut Vec<Diagnostic>,
                state: Option<Setting<PathBuf>>,
                endpoints: BTreeMap<String, Setting<String>>,
                clusters: BTreeMap<String, Setting<ClusterAccess>>,
            ) -> Self {
                let [.., (machine, _)] = resolver.files;
                Self {
                    $($field: or_default(
                        resolver.value::<$type>(&known::$known, problems, |file| file.$field.clone()),
                        $default,
                    ),)*
                    state,
                    endpoints,
                    clusters,
                    warnings: Vec::new(),
                    locked: machine.lock.clone(),
                }
            }
        }
    };
}
each_setting!(settings);

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
        // A variable that the flag replaces is not read.
        let env = |name: &str| match color {
            Some(_) if known::COLOR.variable == Some(name) => None,
            _ => env(name),
        };
        let resolver = Resolver {
            files: [
                (&project, &places.project_config),
                (&user, user_config),
                (&machine, &places.machine_config),
            ],
            env: &env,
        };
        let state = state(&resolver, places, &mut problems);
        let endpoints = endpoints(&user, user_config, &machine, places, &env);
        let clusters = clusters(&user, user_config, &machine, places);
        let mut settings = Self::resolve(&resolver, &mut problems, state, endpoints, clusters);
        settings.color = settings.flag(&known::COLOR, &settings.color, color);
        settings.warnings = warnings;
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
