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

/// The length of a line of `/etc/hosts`, with its end: musl reads no more (`name_from_hosts` of its
/// `src/network/lookup_name.c`).
const LINE: usize = 511;

/// The names of a sandbox, and the authority that pods need to trust.
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
    /// which a cluster's DNS does not know. An address has several where one would be too long.
    pub(crate) fn aliases(&self) -> Vec<Alias> {
        let metadata = names::METADATA.map(str::to_owned);
        let address = self.address.to_string();
        if address == names::METADATA_ADDRESS {
            return lines(&address, metadata.into_iter().chain(names::all()));
        }
        let mut all = lines(&address, names::all());
        all.extend(lines(names::METADATA_ADDRESS, metadata));
        all
    }

    /// Returns the certificates that pods trust, PEM: the public roots and the sandbox's authority.
    /// Most variables replace a client's own list.
    pub(crate) fn bundle(&self) -> String {
        format!("{}{}", trust::public_roots(), self.authority)
    }
}

/// Splits names into aliases that are short enough for every C library: each becomes a line of
/// `/etc/hosts`.
fn lines(address: &str, names: impl IntoIterator<Item = String>) -> Vec<Alias> {
    let mut aliases: Vec<Alias> = Vec::new();
    let mut length = LINE;
    for name in names {
        length += name.len() + 1;
        match aliases.last_mut() {
            Some(last) if length < LINE => last.names.push(name),
            _ => {
                length = address.len() + 1 + name.len();
                aliases.push(Alias {
                    address: address.to_owned(),
                    names: vec![name],
                });
            }
        }
    }
    aliases
}

/// Returns the path of the bundle in containers.
pub(crate) fn bundle_path() -> String {
    format!("{FOLDER}/{FILE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_alias_is_too_long_a_line_and_no_name_is_lost() {
        let google = names::all();
        let metadata = names::METADATA.map(str::to_owned);
        for address in ["2001:db8:1234:5678:9abc:def0:1234:5678", "169.254.169.254"] {
            let aliases = Names::new(address.parse().unwrap(), "").aliases();
            for alias in &aliases {
                let line = format!("{}\t{}\n", alias.address, alias.names.join("\t"));
                assert!(line.len() <= LINE, "{line}");
            }
            let named = |of: &str| -> Vec<String> {
                let of = aliases.iter().filter(|alias| alias.address == of);
                of.flat_map(|alias| alias.names.clone()).collect()
            };
            let both = [&metadata[..], &google].concat();
            if address == names::METADATA_ADDRESS {
                assert_eq!(named(address), both);
            } else {
                assert_eq!(named(address), google);
                assert_eq!(named(names::METADATA_ADDRESS), metadata);
            }
            let bytes: usize = both.iter().map(|name| name.len() + 1).sum();
            assert!(aliases.len() <= bytes / LINE + 3, "{}", aliases.len());
        }
    }
}
