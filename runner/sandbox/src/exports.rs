//! The environment variables for a client of a sandbox.

use std::path::Path;

use sidestep_sandbox_tls::trust;

use crate::callers::CallerFiles;
use crate::live::{Live, Places};
use crate::users::kubeconfig_paths;

/// Names and values, in print order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exports(pub Vec<(String, String)>);

/// Returns the variables with which gcloud, kubectl, Google's libraries and the runner reach a live
/// sandbox at its own addresses.
pub fn exports(live: &Live, caller: &CallerFiles) -> Exports {
    let mut list = of_caller(live, caller);
    for (name, url) in &live.endpoints {
        if OVERRIDES.contains(&name.as_str()) {
            list.push((
                format!("CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}"),
                format!("{url}/"),
            ));
        }
    }
    list.extend(endpoints(live));
    Exports(list)
}

/// Returns the variables with which the runner reaches a live sandbox's addresses.
pub(crate) fn endpoints(live: &Live) -> impl Iterator<Item = (String, String)> {
    let endpoints = live.endpoints.iter();
    endpoints.map(|(name, url)| (format!("SIDESTEP_ENDPOINT_{name}"), url.clone()))
}

/// Returns the variables with which any client reaches a live sandbox under Google's own names:
/// through its proxy, and with trust in its certificate authority.
///
/// Most of these variables replace the system's trust. That is safe, since the proxy only opens
/// tunnels to the sandbox.
pub fn proxy_exports(live: &Live, places: &Places, caller: &CallerFiles) -> Exports {
    let mut list = of_caller(live, caller);
    let proxy = format!("http://{}", live.google);
    let mut without_proxy = "127.0.0.1,localhost".to_owned();
    if live.cluster.is_some() {
        let host = live.kubernetes.trim_start_matches("https://");
        let host = host.split('/').next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        without_proxy = format!("{without_proxy},{}", host.trim_matches(['[', ']']));
    }
    for (upper, value) in [
        ("HTTPS_PROXY", proxy.as_str()),
        // The cluster's API server is called directly.
        ("NO_PROXY", without_proxy.as_str()),
    ] {
        // Clients read one or the other; the lower case has precedence.
        list.push((upper.to_owned(), value.to_owned()));
        list.push((upper.to_lowercase(), value.to_owned()));
    }
    let authority = shown(&places.authority());
    for name in trust::VARIABLES {
        list.push((name.to_owned(), authority.clone()));
    }
    Exports(list)
}

fn of_caller(live: &Live, caller: &CallerFiles) -> Vec<(String, String)> {
    let own = |name: &str, value: String| (name.to_owned(), value);
    let kubeconfig = match &live.cluster {
        Some(cluster) => kubeconfig_paths(caller.kubeconfig(), &cluster.named),
        None => caller.kubeconfig().into_os_string(),
    };
    vec![
        own("KUBECONFIG", shown(Path::new(&kubeconfig))),
        own("CLOUDSDK_CORE_PROJECT", "demo".to_owned()),
        own("CLOUDSDK_CORE_DISABLE_PROMPTS", "1".to_owned()),
        own(
            "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
            shown(&caller.access_token()),
        ),
        own(
            "GOOGLE_APPLICATION_CREDENTIALS",
            shown(&caller.credentials()),
        ),
    ]
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The endpoints with an override in gcloud.
const OVERRIDES: &[&str] = &[
    "ARTIFACTREGISTRY",
    "CLOUDRESOURCEMANAGER",
    "CONTAINER",
    "IAM",
    "IAMCREDENTIALS",
    "SECRETMANAGER",
    "SERVICEUSAGE",
    "STORAGE",
];

impl std::fmt::Display for Exports {
    /// Formats lines that a shell can `eval`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, value) in &self.0 {
            writeln!(f, "export {name}='{}'", value.replace('\'', r"'\''"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_path_does_not_end_the_value() {
        let exports = Exports(vec![("A".into(), "/home/o'neil/x y".into())]);
        assert_eq!(exports.to_string(), "export A='/home/o'\\''neil/x y'\n");
    }
}
