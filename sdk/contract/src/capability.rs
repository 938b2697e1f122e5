//! Capabilities: the interfaces that a step may be granted.

use std::fmt;

/// Defines the table of capabilities: the type, and for each one the grant key, and the
/// interface with its version.
macro_rules! capabilities {
    ($(#[doc = $doc:literal] $name:ident = $key:literal, $interface:literal, $version:literal;)*) => {
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
            pub const fn interface(self) -> &'static str {
                match self {
                    $(Self::$name => $interface,)*
                }
            }

            /// Returns the version of the interface.
            pub const fn version(self) -> &'static str {
                match self {
                    $(Self::$name => $version,)*
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
    Workspace = "workspace", "sidestep:workspace/files", "0.1.0";
    /// Objects in buckets.
    Storage = "storage", "sidestep:storage/objects", "0.1.0";
    /// A Google Cloud project and its enabled services.
    Project = "project", "sidestep:gcp/project", "0.1.0";
    /// Service accounts, keys, policies, pools: read only.
    Iam = "iam", "sidestep:gcp/iam", "0.1.0";
    /// Changes of policies, and new accounts, pools and providers.
    IamWrite = "iamWrite", "sidestep:gcp/iam-write", "0.1.0";
    /// GKE's own API.
    Gke = "gke", "sidestep:gcp/gke", "0.1.0";
    /// Artifact Registry's own API.
    ArtifactRegistry = "artifactRegistry", "sidestep:gcp/artifact-registry", "0.1.0";
    /// Secret Manager's versions, as handles.
    SecretManager = "secretManager", "sidestep:gcp/secret-manager", "0.1.0";
    /// Proofs of a workload's identity.
    Identity = "identity", "sidestep:identity/prove", "0.1.0";
    /// Objects of a cluster.
    Kubernetes = "kubernetes", "sidestep:kubernetes/objects", "0.1.0";
    /// Images in registries.
    Registry = "registry", "sidestep:registry/images", "0.1.0";
    /// The pipeline's secrets, as handles.
    Secrets = "secrets", "sidestep:secrets/names", "0.1.0";
    /// The run's artifacts.
    Artifacts = "artifacts", "sidestep:artifacts/store", "0.1.0";
    /// Requests to other hosts.
    Http = "http", "sidestep:http/client", "0.1.0";
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

/// The interfaces that every step gets, or that give no access, with their versions.
pub const ALWAYS: [(&str, &str); 3] = [
    ("sidestep:host/types", "0.1.0"),
    ("sidestep:step/runtime", "0.1.0"),
    ("sidestep:gcp/types", "0.1.0"),
];

/// Returns whether every plugin gets this interface. Any version of the interface matches.
pub fn is_always_linked(import: &str) -> bool {
    let interface = unversioned(import);
    ALWAYS.iter().any(|(name, _)| *name == interface)
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
