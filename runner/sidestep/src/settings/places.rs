use std::path::{Path, PathBuf};

/// The machine's folder: what lies there is the operator's, not the user's.
const MACHINE: &str = "/etc/sidestep";

/// Where files lie (XDG Base Directory Specification 0.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The folder that all paths are relative to.
    pub workspace: PathBuf,
    /// `$XDG_STATE_HOME/sidestep`: runs.
    pub state: PathBuf,
    /// `$XDG_CACHE_HOME/sidestep`: what can be made again.
    pub cache: PathBuf,
    /// `.sidestep/config.yaml` of the workspace.
    pub project_config: PathBuf,
    /// `$XDG_CONFIG_HOME/sidestep/config.yaml`.
    pub user_config: PathBuf,
    /// `/etc/sidestep/config.yaml`.
    pub machine_config: PathBuf,
    /// `$XDG_CONFIG_HOME/sidestep/policy.yaml`.
    pub user_policy: PathBuf,
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
        let home = absolute("HOME").unwrap_or_else(std::env::temp_dir);
        let base = |name, default: &str| {
            absolute(name)
                .unwrap_or_else(|| home.join(default))
                .join("sidestep")
        };
        let config = base("XDG_CONFIG_HOME", ".config");
        Self {
            workspace: workspace.to_owned(),
            state: base("XDG_STATE_HOME", ".local/state"),
            cache: base("XDG_CACHE_HOME", ".cache"),
            project_config: workspace.join(".sidestep/config.yaml"),
            user_config: config.join("config.yaml"),
            machine_config: Path::new(MACHINE).join("config.yaml"),
            user_policy: config.join("policy.yaml"),
            machine_policy: Path::new(MACHINE).join("policy.yaml"),
        }
    }
}
