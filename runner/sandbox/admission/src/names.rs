use std::net::IpAddr;

use sidestep_sandbox_base::names;
use sidestep_sandbox_tls::trust;

/// The ConfigMap in each namespace, and the objects that are not in one.
pub(crate) const OBJECT: &str = "sidestep-google-names";
/// The names of the volume: the first one that is not another volume's.
pub(crate) const VOLUMES: [&str; 3] = [
    "sidestep-google-names",
    "sidestep-google-names-1",
    "sidestep-google-names-2",
];
/// The folder of the bundle in containers. kaniko leaves `/var/run` out of images.
pub(crate) const FOLDER: &str = "/var/run/sidestep-google-names";
/// The name of the bundle in the ConfigMap and in the folder.
pub(crate) const FILE: &str = "ca-bundle.crt";

/// What pods are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    address: IpAddr,
    authority: String,
}

/// An address with its names.
pub(crate) struct Alias {
    pub(crate) address: String,
    pub(crate) names: Vec<String>,
}

impl Names {
    /// Returns the names of a sandbox that serves them at an address on port 443, with certificates
    /// of an authority (PEM).
    pub fn new(address: IpAddr, authority: impl Into<String>) -> Self {
        Self {
            address,
            authority: authority.into(),
        }
    }

    /// Returns the host aliases of a pod: those of the sandbox, and those of the metadata server,
    /// which a cluster's DNS does not know.
    /// An address is in one alias, since the API server warns of a second one.
    pub(crate) fn aliases(&self) -> Vec<Alias> {
        let metadata = names::METADATA.map(str::to_owned);
        let mut aliases = vec![Alias {
            address: self.address.to_string(),
            names: names::all(),
        }];
        if aliases[0].address == names::METADATA_ADDRESS {
            aliases[0].names.extend(metadata);
        } else {
            aliases.push(Alias {
                address: names::METADATA_ADDRESS.to_owned(),
                names: metadata.to_vec(),
            });
        }
        aliases
    }

    /// Returns the certificates that pods trust, PEM: the public roots and the sandbox's authority.
    /// Most variables replace a client's own list.
    pub(crate) fn bundle(&self) -> String {
        format!("{}{}", trust::public_roots(), self.authority)
    }
}

/// Returns the path of the bundle in containers.
pub(crate) fn bundle_path() -> String {
    format!("{FOLDER}/{FILE}")
}
