//! Capabilities: the interfaces that a step may be granted.

use std::fmt;

/// Defines the table of capabilities: the type, and the grant key and interface of each one.
macro_rules! capabilities {
    ($(#[doc = $doc:literal] $name:ident = $key:literal, $interface:literal;)*) => {
        /// A capability that a step may be granted. Its names are the grant keys of the contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Capability {
            $(#[doc = $doc] $name,)*
        }

        impl Capability {
            /// All capabilities, in the contract's order.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the grant key.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)*
                }
            }

            /// Returns the contract's interface (`sdk/wit`) that this capability links, without the
            /// version.
            pub fn interface(self) -> &'static str {
                match self {
                    $(Self::$name => $interface,)*
                }
            }

            /// Returns a one-sentence description.
            pub fn about(self) -> &'static str {
                match self {
                    $(Self::$name => $doc.trim_ascii(),)*
                }
            }
        }
    };
}

capabilities! {
    /// Files of the workspace, read only.
    Workspace = "workspace", "sidestep:workspace/files";
    /// Objects in buckets.
    Storage = "storage", "sidestep:storage/objects";
    /// A Google Cloud project and its enabled services.
    Project = "project", "sidestep:gcp/project";
    /// Service accounts, keys, policies, pools: read only.
    Iam = "iam", "sidestep:gcp/iam";
    /// Changes of policies, and new accounts, pools and providers.
    IamWrite = "iamWrite", "sidestep:gcp/iam-write";
    /// GKE's own API.
    Gke = "gke", "sidestep:gcp/gke";
    /// Artifact Registry's own API.
    ArtifactRegistry = "artifactRegistry", "sidestep:gcp/artifact-registry";
    /// Secret Manager's versions, as handles.
    SecretManager = "secretManager", "sidestep:gcp/secret-manager";
    /// Proofs of a workload's identity.
    Identity = "identity", "sidestep:identity/prove";
    /// Objects of a cluster.
    Kubernetes = "kubernetes", "sidestep:kubernetes/objects";
    /// Images in registries.
    Registry = "registry", "sidestep:registry/images";
    /// The pipeline's secrets, as handles.
    Secrets = "secrets", "sidestep:secrets/names";
    /// The run's artifacts.
    Artifacts = "artifacts", "sidestep:artifacts/store";
    /// Requests to other hosts.
    Http = "http", "sidestep:http/client";
}

impl Capability {
    /// Returns the capability with this grant key.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == name)
    }

    /// Returns the capability whose interface a component imports. Any version of the interface
    /// matches.
    pub fn of_import(import: &str) -> Option<Self> {
        let interface = unversioned(import);
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.interface() == interface)
    }

    /// Returns whether its calls leave this machine.
    pub fn is_remote(self) -> bool {
        !matches!(self, Self::Workspace | Self::Secrets | Self::Artifacts)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The interfaces that every step gets, or that give no access.
const ALWAYS: [&str; 3] = [
    "sidestep:host/types",
    "sidestep:step/runtime",
    "sidestep:gcp/types",
];

/// Returns whether every plugin gets this interface. Any version of the interface matches.
pub fn is_always_linked(import: &str) -> bool {
    ALWAYS.contains(&unversioned(import))
}

fn unversioned(import: &str) -> &str {
    import.split_once('@').map_or(import, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_capability_is_found_by_its_key_and_by_its_interface() {
        for &capability in Capability::ALL {
            assert_eq!(Capability::from_name(capability.as_str()), Some(capability));
            let import = format!("{}@0.1.0", capability.interface());
            assert_eq!(Capability::of_import(&import), Some(capability));
            assert!(!is_always_linked(&import), "{import}");
        }
        assert_eq!(Capability::from_name("disk"), None);
        assert_eq!(Capability::of_import("wasi:io/streams@0.2.0"), None);
        assert!(is_always_linked("sidestep:host/types@0.1.0"));
    }
}
