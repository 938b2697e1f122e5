//! The proxies that the operator set.

use reqwest::Url;

/// The variables that name a proxy, as in every HTTP client.
pub const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The variables that list the hosts for which no proxy is used.
pub const NO_PROXIES: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Returns the proxies' addresses.
#[expect(clippy::disallowed_methods, reason = "PROXIES lists the variables")]
pub(super) fn proxies() -> impl Iterator<Item = Url> {
    let values = PROXIES.iter().filter_map(|name| std::env::var(name).ok());
    values.filter_map(|value| {
        let url = if value.contains("://") {
            value
        } else {
            format!("http://{value}")
        };
        url.parse().ok()
    })
}

/// Returns the proxies' hosts: the client resolves these, too.
pub(super) fn proxy_hosts() -> Vec<String> {
    proxies()
        .filter_map(|proxy| proxy.host_str().map(str::to_owned))
        .collect()
}
