//! The metadata server of Compute Engine and GKE, asked for the account of its tokens.

use std::time::Duration;

use sidestep_google::{Endpoints, Origin, Service, Variables};
use sidestep_transport as transport;

/// The timeout: the server is on the local network, or there is none.
const PATIENCE: Duration = Duration::from_secs(3);
/// The maximum size of an answer, in bytes.
const LARGEST: usize = 1024;

/// Returns the server's account; `None` if there is no server. The address is the client library's.
pub(super) async fn ask(variables: &Variables, endpoints: &Endpoints) -> Option<Origin> {
    let base = match variables.get("GCE_METADATA_HOST") {
        Some(host) => format!("http://{host}"),
        None => endpoints.url(Service::Metadata)?,
    };
    let client = transport::builder()
        // Through a proxy, the proxy's machine would answer.
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .ok()?;
    let (email, project) = tokio::join!(
        read(&client, &base, "instance/service-accounts/default/email"),
        read(&client, &base, "project/project-id"),
    );
    Some(Origin {
        source: "metadata".to_owned(),
        principal: Some(email?),
        location: Some(base),
        project,
        ..Origin::default()
    })
}

async fn read(client: &reqwest::Client, base: &str, path: &str) -> Option<String> {
    let mut answer = client
        .get(format!("{base}/computeMetadata/v1/{path}"))
        .header("Metadata-Flavor", "Google")
        .send()
        .await
        .ok()?;
    // A server that answers without this header is not a metadata server, but a captive portal.
    let is_it = answer
        .headers()
        .get("Metadata-Flavor")
        .is_some_and(|flavor| flavor == "Google");
    if !is_it || !answer.status().is_success() {
        return None;
    }
    let mut text = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        text.extend_from_slice(&chunk);
        if text.len() > LARGEST {
            return None;
        }
    }
    let text = String::from_utf8(text).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
