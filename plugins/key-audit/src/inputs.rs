//! The step's inputs.

use sidestep::Cluster;

/// The places to search for keys: at least one of `manifests`, `files` and `cluster`.
#[sidestep::data]
#[derive(Debug, Clone, Default)]
pub(crate) struct Inputs {
    /// Rendered Kubernetes manifests, as patterns of paths in the workspace: the output of
    /// `kustomize build` or `helm template`. Nothing in them is executed.
    #[serde(default)]
    pub manifests: Vec<String>,
    /// Files to search for keys, as patterns of paths in the workspace.
    #[serde(default)]
    pub files: Vec<String>,
    /// The cluster to search, as `projects/P/locations/L/clusters/C`. With `manifests`, the printed
    /// commands are for this cluster.
    #[serde(default)]
    pub cluster: Option<Cluster>,
    /// The namespaces of the cluster to search. Empty searches only the manifests and files.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// The findings that fail the step, after all are printed.
    #[serde(default)]
    pub fail_on: FailOn,
    /// The form of the output `lines`.
    #[serde(default)]
    pub format: Format,
}

/// The findings that fail the step.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum FailOn {
    /// None: the findings are reported.
    #[default]
    Never,
    /// Keys.
    Keys,
    /// Keys, everything else that is wrong, and everything that could not be searched.
    Any,
}

/// The form of the output `lines`.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    /// The findings and their migrations, as in the log.
    #[default]
    Human,
    /// One line of SARIF 2.1.0, for code scanning.
    Sarif,
}
