//! The proxy of a cluster's client.

use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_transport::{NO_PROXIES, PROXIES};

/// Returns the proxy for requests to an API server: the one that its kubeconfig entry names, or the
/// environment's, unless `NO_PROXY` excludes the server. Servers on this machine are reached
/// directly, as by kubectl (Go, `net/http.ProxyFromEnvironment`).
///
/// kube's own answer is not used: it compares `NO_PROXY` with the proxy's address.
///
/// # Errors
/// `kubernetes.cluster-unusable` if the proxy's address can't be read. It is not in the message,
/// because it may contain a password.
pub(super) fn of(cluster: &str, server: &Uri, named: Option<&str>) -> Result<Option<Uri>, Failure> {
    find(server, named).map_err(|why| {
        Failure::new(
            Class::Failed,
            codes::kubernetes::CLUSTER_UNUSABLE,
            Owner::Operator,
            format!("the proxy for cluster {cluster} can't be used: {why}"),
        )
        .with_help("write http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT, or exclude the cluster's host with NO_PROXY")
    })
}

fn find(server: &Uri, named: Option<&str>) -> Result<Option<Uri>, String> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return parse("the kubeconfig's `proxy-url`", named).map(Some);
    }
    let Some((variable, proxy)) = first(&PROXIES) else {
        return Ok(None);
    };
    let excluded = first(&NO_PROXIES).map(|(_, hosts)| hosts);
    choose(
        server,
        variable,
        &proxy,
        excluded.as_deref().unwrap_or_default(),
    )
}

fn choose(
    server: &Uri,
    variable: &str,
    proxy: &str,
    excluded: &str,
) -> Result<Option<Uri>, String> {
    let excludes_all = excluded.split(',').any(|host| host.trim() == "*");
    if is_local(server) || excludes_all {
        return Ok(None);
    }
    // As in the runner's other clients, which are reqwest's.
    let matcher = Matcher::builder().all("http://proxy").no(excluded).build();
    match matcher.intercept(server) {
        None => Ok(None),
        Some(_) => parse(variable, proxy).map(Some),
    }
}

/// Parses a proxy's address. Without a scheme it is an HTTP proxy.
fn parse(origin: &str, proxy: &str) -> Result<Uri, String> {
    let parts = proxy.split_once("://");
    let parts = parts.map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    let url = match parts.as_ref().map(|(scheme, rest)| (scheme.as_str(), rest)) {
        Some((scheme @ ("http" | "https" | "socks5"), rest)) => format!("{scheme}://{rest}"),
        // The proxy resolves the server's name in either case.
        Some(("socks5h", rest)) => format!("socks5://{rest}"),
        Some(_) => {
            return Err(format!(
                "{origin} is not the address of an HTTP or SOCKS5 proxy"
            ));
        }
        None => format!("http://{proxy}"),
    };
    url.parse()
        .map_err(|_| format!("{origin} is not a valid address"))
}

fn is_local(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Returns the first of these variables that is set, with its value.
#[expect(clippy::disallowed_methods, reason = "the callers list the variables")]
fn first(variables: &[&'static str]) -> Option<(&'static str, String)> {
    let value = |name: &&'static str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some((*name, value))
    };
    variables.iter().find_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(server: &str, proxy: &str, no_proxy: &str) -> Result<Option<String>, String> {
        let server = server.parse().expect("an address");
        let found = choose(&server, "HTTPS_PROXY", proxy, no_proxy)?;
        Ok(found.map(|proxy| proxy.to_string()))
    }

    #[test]
    fn servers_are_reached_through_the_proxy_unless_excluded() {
        let rows = [
            (
                "https://34.1.2.3",
                "example.com",
                Some("http://proxy:3128/"),
            ),
            ("https://10.0.0.2", "10.0.0.0/8", None),
            ("https://gke-1.europe-west1.gke.goog", ".gke.goog", None),
            ("https://34.1.2.3", "*", None),
            ("https://127.0.0.1:6443", "example.com", None),
            ("https://localhost:6443", "example.com", None),
            ("https://[::1]:6443", "example.com", None),
        ];
        for (server, no_proxy, expected) in rows {
            let found = chosen(server, "proxy:3128", no_proxy);
            assert_eq!(found, Ok(expected.map(str::to_owned)), "{server}");
        }
    }

    #[test]
    fn each_kind_of_proxy_is_read_and_no_password_is_shown() {
        let server = "https://34.1.2.3";
        for (proxy, expected) in [
            ("http://p:1", "http://p:1/"),
            ("HTTP://p:1", "http://p:1/"),
            ("https://p:1", "https://p:1/"),
            ("socks5://p:1", "socks5://p:1/"),
            ("socks5h://p:1", "socks5://p:1/"),
        ] {
            let found = chosen(server, proxy, "x");
            assert_eq!(found, Ok(Some(expected.to_owned())));
        }
        // A server that needs no proxy is reached in spite of a wrong one.
        assert_eq!(
            chosen("https://127.0.0.1:6443", "socks4://p:1", ""),
            Ok(None)
        );
        for wrong in ["ftp://u:hunter2@p", "http://u:hunter2@p p:1"] {
            let why = chosen(server, wrong, "x").expect_err("no proxy");
            assert!(why.starts_with("HTTPS_PROXY is not"), "{why}");
            assert!(!why.contains("hunter2"), "{why}");
            let failure = of("prod", &server.parse().expect("an address"), Some(wrong));
            let failure = failure.expect_err("no proxy");
            assert_eq!(failure.owner, Owner::Operator);
            assert!(!failure.message.contains("hunter2"), "{failure:?}");
        }
    }

    #[test]
    fn a_kubeconfig_names_its_own() {
        let server = "https://127.0.0.1:6443".parse().expect("an address");
        let found = of("prod", &server, Some("socks5://bastion:1080")).expect("a proxy");
        assert_eq!(
            found.map(|proxy| proxy.to_string()).as_deref(),
            Some("socks5://bastion:1080/")
        );
    }
}
