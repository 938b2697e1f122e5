//! The table of all capabilities.

use sidestep_gate::Capability;
use sidestep_gcp as gcp;

use crate::{http_client, identity, kubernetes, registry, secrets, storage, workspace};

/// Every capability of this runner.
pub const CAPABILITIES: &[Capability] = &[
    workspace::CAPABILITY,
    storage::CAPABILITY,
    gcp::project::CAPABILITY,
    gcp::iam::CAPABILITY,
    gcp::iam_write::CAPABILITY,
    gcp::gke::CAPABILITY,
    gcp::artifact_registry::CAPABILITY,
    gcp::secret_manager::CAPABILITY,
    identity::CAPABILITY,
    kubernetes::CAPABILITY,
    registry::CAPABILITY,
    secrets::CAPABILITY,
    http_client::CAPABILITY,
];

#[cfg(test)]
mod tests {
    use sidestep_policy::Capability as Key;

    use super::*;

    /// Capabilities of the contract that this runner does not have yet.
    const ABSENT: &[Key] = &[Key::Artifacts];

    #[test]
    fn every_capability_of_the_contract_is_linked_once_in_its_order() {
        let linked: Vec<Key> = CAPABILITIES.iter().map(|linked| linked.key).collect();
        let expected = Key::ALL.iter().filter(|key| !ABSENT.contains(key));
        assert_eq!(linked, expected.copied().collect::<Vec<_>>());
    }
}
