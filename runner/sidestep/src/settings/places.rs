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

/// A file or folder that the runner reads or writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// Where it lies; none where no home says so.
    pub path: Option<PathBuf>,
    /// What it is for.
    pub about: &'static str,
}

impl Places {
    /// The runs, where no setting says otherwise.
    pub fn runs(&self) -> Option<PathBuf> {
        self.state.as_ref().map(|state| state.join("runs"))
    }

    /// The sandboxes.
    pub fn sandboxes(&self) -> Option<PathBuf> {
        self.state.as_ref().map(|state| state.join("sandbox"))
    }

    /// The compiled code of plugins.
    pub fn compiled(&self) -> Option<PathBuf> {
        self.cache.as_ref().map(|cache| cache.join("plugins"))
    }

    /// What a run makes on its way.
    pub fn scratch(&self) -> Option<PathBuf> {
        self.cache.as_ref().map(|cache| cache.join("scratch"))
    }

    /// All of them, as they are shown.
    pub fn files(&self) -> Vec<KnownFile> {
        let known = |path: Option<&Path>, about| KnownFile {
            path: path.map(Path::to_owned),
            about,
        };
        vec![
            known(
                Some(&self.project_config),
                "settings of a project; it has a pipeline's trust",
            ),
            known(self.user_config.as_deref(), "settings of the user"),
            known(
                Some(&self.machine_config),
                "settings of the machine, which can lock",
            ),
            known(self.user_policy.as_deref(), "the user's policy"),
            known(Some(&self.machine_policy), "the machine's policy"),
            known(
                self.runs().as_deref(),
                "runs, a folder each: `journal`, `lock`, `plan.json` and `logs`; the setting \
                 `state` names another folder",
            ),
            known(
                self.sandboxes().as_deref(),
                "sandboxes, a folder a scenario: its servers' state, addresses and keys",
            ),
            known(
                self.compiled().as_deref(),
                "compiled code of plugins; it can be removed at any time",
            ),
            known(
                self.scratch().as_deref(),
                "what a run makes on its way; it can be removed when no run is under way",
            ),
        ]
    }

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
