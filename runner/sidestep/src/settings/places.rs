use std::path::{Path, PathBuf};

/// The machine's folder, whose files belong to the operator, not the user.
const MACHINE: &str = "/etc/sidestep";

/// The paths of files and folders (XDG Base Directory Specification 0.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The folder that all paths are relative to.
    pub workspace: PathBuf,
    /// `$XDG_STATE_HOME/sidestep`: runs. `None` without a home.
    pub state: Option<PathBuf>,
    /// `$XDG_CACHE_HOME/sidestep`: files that can be created again. `None` without a home.
    pub cache: Option<PathBuf>,
    /// `.sidestep/config.yaml` in the workspace.
    pub project_config: PathBuf,
    /// `$XDG_CONFIG_HOME/sidestep/config.yaml`. `None` without a home.
    pub user_config: Option<PathBuf>,
    /// `/etc/sidestep/config.yaml`.
    pub machine_config: PathBuf,
    /// `$XDG_CONFIG_HOME/sidestep/policy.yaml`. `None` without a home.
    pub user_policy: Option<PathBuf>,
    /// `/etc/sidestep/policy.yaml`.
    pub machine_policy: PathBuf,
}

/// A file or folder that the runner reads or writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// The path; `None` if it depends on a home that is not known.
    pub path: Option<PathBuf>,
    /// The purpose.
    pub about: &'static str,
}

impl Places {
    /// Returns the default folder of runs.
    pub fn runs(&self) -> Option<PathBuf> {
        self.state.as_ref().map(|state| state.join("runs"))
    }

    /// Returns the folder of sandboxes.
    pub fn sandboxes(&self) -> Option<PathBuf> {
        self.state.as_ref().map(|state| state.join("sandbox"))
    }

    /// Returns the cache folder for compiled plugins.
    pub fn compiled(&self) -> Option<PathBuf> {
        self.cache.as_ref().map(|cache| cache.join("plugins"))
    }

    /// Returns the folder for a run's temporary files.
    pub fn scratch(&self) -> Option<PathBuf> {
        self.cache.as_ref().map(|cache| cache.join("scratch"))
    }

    /// Returns all known files, in the order in which they are shown.
    pub fn files(&self) -> Vec<KnownFile> {
        let known = |path: Option<&Path>, about| KnownFile {
            path: path.map(Path::to_owned),
            about,
        };
        vec![
            known(
                Some(&self.project_config),
                "settings of a project; trusted as much as a pipeline",
            ),
            known(self.user_config.as_deref(), "settings of the user"),
            known(
                Some(&self.machine_config),
                "settings of the machine, which can lock settings",
            ),
            known(self.user_policy.as_deref(), "the user's policy"),
            known(Some(&self.machine_policy), "the machine's policy"),
            known(
                self.runs().as_deref(),
                "runs, one folder per run: `journal`, `lock`, `plan.json` and `logs`; the setting \
                 `state` selects another folder",
            ),
            known(
                self.sandboxes().as_deref(),
                "sandboxes, one folder per scenario: its servers' state, addresses and keys",
            ),
            known(
                self.compiled().as_deref(),
                "compiled plugins; can be removed at any time",
            ),
            known(
                self.scratch().as_deref(),
                "temporary files of runs; can be removed when no run is active",
            ),
        ]
    }

    /// Returns the paths for a workspace, according to the environment.
    pub fn of(workspace: &Path, env: impl Fn(&str) -> Option<String>) -> Self {
        // The specification requires that relative paths in these variables are ignored.
        let absolute = |name: &str| {
            env(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        // Without a home there are no such folders: a shared folder such as /tmp does not qualify
        // as a home.
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
