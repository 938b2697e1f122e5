//! What a client has to know to reach a sandbox: environment variables.

use crate::live::{Live, Places};

/// Names and values, in the order to print them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exports(pub Vec<(String, String)>);

/// The variables by which gcloud, kubectl, Google's libraries and the runner reach a live sandbox.
pub fn exports(live: &Live, places: &Places) -> Exports {
    let shown = |path: std::path::PathBuf| path.display().to_string();
    let mut list = vec![
        ("KUBECONFIG".to_owned(), shown(places.kubeconfig())),
        ("CLOUDSDK_CORE_PROJECT".to_owned(), "demo".to_owned()),
        ("CLOUDSDK_CORE_DISABLE_PROMPTS".to_owned(), "1".to_owned()),
        (
            "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE".to_owned(),
            shown(places.access_token()),
        ),
        (
            "GOOGLE_APPLICATION_CREDENTIALS".to_owned(),
            shown(places.credentials()),
        ),
    ];
    for (name, url) in &live.endpoints {
        if OVERRIDES.contains(&name.as_str()) {
            list.push((
                format!("CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}"),
                format!("{url}/"),
            ));
        }
    }
    for (name, url) in &live.endpoints {
        list.push((format!("SIDESTEP_ENDPOINT_{name}"), url.clone()));
    }
    Exports(list)
}

/// The endpoints that gcloud has an override for.
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
    /// Lines that a shell can `eval`.
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
