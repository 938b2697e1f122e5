//! The addresses of a cluster's API server, from its description.

use sidestep_google::convert::filled;
use sidestep_google::{ApiServer, DnsEndpoint};

use super::Cluster;

/// Returns the addresses in a cluster's description. Every cluster describes its endpoints in
/// `controlPlaneEndpointsConfig` by now; `endpoint` alone is one of them, which older emulators
/// have (Kubernetes Engine, `projects.locations.clusters`).
pub(crate) fn of(cluster: Cluster) -> ApiServer {
    let authority = cluster.master_auth.unwrap_or_default();
    let authority = authority.cluster_ca_certificate;
    let Some(config) = cluster.control_plane_endpoints_config else {
        return ApiServer {
            public: filled(cluster.endpoint),
            authority,
            ..ApiServer::default()
        };
    };
    let ip = config.ip_endpoints_config.unwrap_or_default();
    let is_on = ip.enabled != Some(false);
    let is_public = is_on && ip.enable_public_endpoint != Some(false);
    let dns = config.dns_endpoint_config.unwrap_or_default();
    ApiServer {
        public: filled(ip.public_endpoint).filter(|_| is_public),
        private: filled(ip.private_endpoint).filter(|_| is_on),
        dns: filled(dns.endpoint).map(|host| DnsEndpoint {
            host,
            is_open: dns.allow_external_traffic == Some(true),
        }),
        authority,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Returns the public and the private address, and the DNS endpoint with whether it is open.
    fn addresses(described: Value) -> (Option<String>, Option<String>, Option<(String, bool)>) {
        let cluster = serde_json::from_value(described).expect("a cluster");
        let found = of(cluster);
        let dns = found.dns.map(|dns| (dns.host, dns.is_open));
        (found.public, found.private, dns)
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_cluster_that_describes_no_endpoints_has_one_address() {
        assert_eq!(addresses(json!({})), (None, None, None));
        let one = addresses(json!({ "endpoint": "34.1.2.3" }));
        assert_eq!(one, (text("34.1.2.3"), None, None));
    }

    #[test]
    fn each_endpoint_is_used_only_if_it_is_enabled() {
        let name = "gke-1.europe-west1.gke.goog";
        let config = |ip: Value, open: bool| {
            json!({ "endpoint": "34.1.2.3", "controlPlaneEndpointsConfig": {
                "dnsEndpointConfig": { "endpoint": name, "allowExternalTraffic": open },
                "ipEndpointsConfig": ip } })
        };
        let all = json!({ "enabled": true, "enablePublicEndpoint": true,
            "publicEndpoint": "34.1.2.3", "privateEndpoint": "10.0.0.2" });
        assert_eq!(
            addresses(config(all, true)),
            (
                text("34.1.2.3"),
                text("10.0.0.2"),
                Some((name.to_owned(), true))
            )
        );
        let mut private = config(
            json!({ "enabled": true, "enablePublicEndpoint": false,
                "publicEndpoint": "34.1.2.3", "privateEndpoint": "10.0.0.2" }),
            false,
        );
        private["endpoint"] = "10.0.0.2".into();
        assert_eq!(
            addresses(private),
            (None, text("10.0.0.2"), Some((name.to_owned(), false)))
        );
        let mut dns = config(json!({ "enabled": false }), true);
        dns["endpoint"] = name.into();
        assert_eq!(addresses(dns), (None, None, Some((name.to_owned(), true))));
    }
}
