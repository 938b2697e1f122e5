use std::path::{Path, PathBuf};

/// The machine's folder: what lies there is the operator's, not the user's.
const MACHINE: &str = "/etc/sidestep";

/// Where files lie (XDG Base Directory Specification 0.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The folder that all paths are relative to.
    pub workspace: PathBuf,
    /// `$XDG_STATE_HOME/sidestep`: runs. None without a home.
    pub state: Option<PathBuf>,
    /// `$XDG_CACHE_HOME/sidestep`: what can be made again. None without a home.
    pub cache: Option<PathBuf>,
    /// `.sidestep/config.yaml` of the workspace.
    pub project_config: PathBuf,
    /// `$XDG_CONFIG_HOME/sidestep/config.yaml`. None without a home.
    pub user_config: Option<PathBuf>,
    /// `/etc/sidestep/config.yaml`.
    pub machine_config: PathBuf,
    /// `$XDG_CONFIG_HOME/sidestep/policy.yaml`. None without a home.
    pub user_policy: Option<PathBuf>,
    /// `/etc/sidestep/policy.yaml`.
    pub machine_policy: PathBuf,
}

impl Places {
    /// The places of a workspace, by the environment.
    pub fn of(workspace: &Path, env: impl Fn(&str) -> Option<String>) -> Self {
        // The specification: a relative path in these variables is to be ignored.
        let absolute = |name: &str| {
            env(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        // Without a home there is none of these: a folder that everybody shares, such as /tmp, is
        // nobody's home.
        let home = absolute("HOME");
        let base = |name, default: &str| {
            absolute(name)
                .or_else(|| Some(home.as_ref()?.join(default)))
                .map(|base| base.join("sidestep"))
        };
        let config = base("XDG_CONFIG_HOME", ".config");
        let of_config = |name| config.as_ref().map(|config| config.join(name));
        Self {
            workspace: workspace.to_owned(),
            state: base("XDG_STATE_HOME", ".local/state"),
            cache: base("XDG_CACHE_HOME", ".cache"),
            project_config: workspace.join(".sidestep/config.yaml"),
            user_config: of_config("config.yaml"),
            machine_config: Path::new(MACHINE).join("config.yaml"),
            user_policy: of_config("policy.yaml"),
            machine_policy: Path::new(MACHINE).join("policy.yaml"),
        }
    }
}
