use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use crate::field::Field;
use crate::scope::Scope;
use crate::{
    artifact_registry, artifacts, gke, http, iam, iam_write, identity, kubernetes, project,
    registry, secret_manager, secrets, storage, workspace,
};

macro_rules! capabilities {
    ($(#[doc = $doc:literal] $name:ident = $key:literal in $module:ident;)*) => {
        /// What a step may be granted; the grant keys of the contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Capability {
            $(#[doc = $doc] $name,)*
        }

        impl Capability {
            /// All of them, in the contract's order.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The grant key.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)*
                }
            }

            /// What it is, in a sentence.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$name => $doc.trim_ascii(),)*
                }
            }

            pub(crate) fn fields(self) -> &'static [Field] {
                match self {
                    $(Self::$name => $module::FIELDS,)*
                }
            }

            pub(crate) fn explain(self, scope: &Scope) -> String {
                match self {
                    $(Self::$name => $module::explain(scope),)*
                }
            }
        }
    };
}

capabilities! {
    /// Files of the workspace, read only.
    Workspace = "workspace" in workspace;
    /// Objects in buckets.
    Storage = "storage" in storage;
    /// A Google Cloud project and its enabled services.
    Project = "project" in project;
    /// Service accounts, keys, policies, pools: read only.
    Iam = "iam" in iam;
    /// Setting policies and making accounts, pools and providers.
    IamWrite = "iamWrite" in iam_write;
    /// GKE's own API.
    Gke = "gke" in gke;
    /// Artifact Registry's own API.
    ArtifactRegistry = "artifactRegistry" in artifact_registry;
    /// Secret Manager's versions, as handles.
    SecretManager = "secretManager" in secret_manager;
    /// Proving who a workload is.
    Identity = "identity" in identity;
    /// Objects of a cluster.
    Kubernetes = "kubernetes" in kubernetes;
    /// Images in registries.
    Registry = "registry" in registry;
    /// The pipeline's secrets, as handles.
    Secrets = "secrets" in secrets;
    /// The run's artifacts.
    Artifacts = "artifacts" in artifacts;
    /// Requests to other hosts.
    Http = "http" in http;
}

impl Capability {
    /// The capability of that grant key.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == name)
    }

    /// Returns whether its calls leave this machine.
    pub fn is_remote(self) -> bool {
        !matches!(self, Self::Workspace | Self::Secrets | Self::Artifacts)
    }

    /// One of these keys must be in a grant.
    pub(crate) fn needs_one_of(self) -> Option<&'static [&'static str]> {
        (self == Self::Iam).then_some(&["project", "resource"])
    }

    /// A scope's map; a capability of names alone takes the bare name too.
    pub(crate) fn map_of(self, value: &Value) -> Option<Cow<'_, Map<String, Value>>> {
        match (value, self) {
            (Value::Object(map), _) => Some(Cow::Borrowed(map)),
            (Value::String(_), Self::Secrets | Self::Artifacts) => {
                let mut map = Map::new();
                map.insert("names".to_owned(), value.clone());
                Some(Cow::Owned(map))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
