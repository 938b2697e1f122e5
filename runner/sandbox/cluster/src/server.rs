use std::fmt::Write as _;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::connect::Connection;

/// The namespace of Kubernetes' own objects. Every cluster creates it once, so that its uid is known
/// as the cluster's.
const SYSTEM: &str = "kube-system";

/// The marks of a cluster, which tell it from another one that a context of the same name means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// The API server's host and port, and its path if it has one.
    pub address: String,
    /// The SHA-256 of the configured certificate authorities, in hexadecimal digits; absent if the
    /// kubeconfig configures none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// The uid of the namespace `kube-system`; absent if the context's user may not read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

impl Server {
    pub(crate) async fn of(connection: &Connection) -> Self {
        let namespaces = Api::<Namespace>::all(connection.client.clone());
        let system = namespaces.get(SYSTEM).await;
        let authority = connection.authority.as_str();
        Self {
            address: connection.server.clone(),
            authority: (!authority.is_empty()).then(|| digest(authority)),
            uid: system.ok().and_then(|system| system.metadata.uid),
        }
    }

    /// Describes how this cluster differs from a recorded one; `None` if it is the same.
    ///
    /// The uids decide, if both are known: an API server may get another address, as minikube's does
    /// at each start, or another certificate.
    pub fn difference(&self, recorded: &Self) -> Option<String> {
        let mut parts = Vec::new();
        if self.address != recorded.address {
            let (now, was) = (&self.address, &recorded.address);
            parts.push(format!("its API server is {now} and was {was}"));
        }
        if self.authority != recorded.authority {
            let text = |authority: &Option<String>, [has, is]: [&str; 2]| match authority {
                Some(digest) => format!("{has} the SHA-256 {}", short(digest)),
                None => format!("{is} a public one"),
            };
            let now = text(&self.authority, ["has", "is"]);
            let was = text(&recorded.authority, ["had", "was"]);
            parts.push(format!("its certificate authority {now} and {was}"));
        }
        if let (Some(now), Some(was)) = (&self.uid, &recorded.uid) {
            if now == was {
                return None;
            }
            parts.push(format!(
                "its namespace {SYSTEM} has the uid {now} and had {was}"
            ));
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

fn digest(text: &str) -> String {
    let mut digits = String::new();
    for byte in Sha256::digest(text) {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// Returns the first digits of a digest, enough to see a difference.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(address: &str, authority: Option<&str>, uid: Option<&str>) -> Server {
        Server {
            address: address.to_owned(),
            authority: authority.map(digest),
            uid: uid.map(str::to_owned),
        }
    }

    #[test]
    fn the_uid_decides_if_both_are_known() {
        let recorded = server("127.0.0.1:6443", Some("a"), Some("1"));
        // The same cluster after a restart, or reached by another name.
        let moved = server("192.168.49.2:8443", Some("b"), Some("1"));
        assert_eq!(moved.difference(&recorded), None);
        // A cluster that was created anew with the same port and authority.
        let anew = server("127.0.0.1:6443", Some("a"), Some("2"));
        assert_eq!(
            anew.difference(&recorded).as_deref(),
            Some("its namespace kube-system has the uid 2 and had 1")
        );
    }

    #[test]
    fn without_a_uid_address_and_authority_decide() {
        let recorded = server("127.0.0.1:6443", Some("a"), Some("1"));
        let same = server("127.0.0.1:6443", Some("a"), None);
        assert_eq!(same.difference(&recorded), None);
        for (other, said) in [
            (
                server("127.0.0.1:7443", Some("a"), None),
                "its API server is 127.0.0.1:7443 and was 127.0.0.1:6443",
            ),
            (
                server("127.0.0.1:6443", Some("b"), None),
                "its certificate authority has the SHA-256 3e23e8160039 and had the SHA-256 \
                 ca978112ca1b",
            ),
            (
                server("127.0.0.1:6443", None, None),
                "its certificate authority is a public one and had the SHA-256 ca978112ca1b",
            ),
        ] {
            assert_eq!(other.difference(&recorded).as_deref(), Some(said));
        }
        let public = server("127.0.0.1:6443", None, None);
        let said = same.difference(&public).expect("another authority");
        assert!(said.ends_with("and was a public one"), "{said}");
    }
}
