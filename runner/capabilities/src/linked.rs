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
