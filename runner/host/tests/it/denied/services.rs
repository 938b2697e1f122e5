//! Every service of the capabilities, at an address without a server.

use std::collections::BTreeMap;
use std::sync::Arc;

use sidestep_capabilities::google::{ControlPlane, Credentials, Endpoints, Service};
use sidestep_capabilities::http_client::HttpClient;
use sidestep_capabilities::identity::{Identity, Variables};
use sidestep_capabilities::kubernetes::Clusters;
use sidestep_capabilities::registry::Registry;
use sidestep_capabilities::storage::Storage;
use sidestep_capabilities::workspace::{Options, Workspace};
use sidestep_capabilities::{Secret, Secrets, Services};
use tempfile::TempDir;

/// Returns the services, and the folder of the workspace.
pub(super) fn all() -> (Arc<Services>, TempDir) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nowhere = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let mut endpoints = Endpoints::default();
    for service in Service::ALL {
        endpoints.set(service, nowhere.parse().expect("a URL"));
    }
    let (endpoints, nobody) = (Arc::new(endpoints), Arc::new(Credentials::anonymous()));
    let google = ControlPlane::new(Arc::clone(&endpoints), Arc::clone(&nobody));
    let clusters = Clusters::new(
        Arc::new(google.clone()),
        Arc::clone(&nobody),
        BTreeMap::new(),
    );
    let clusters = Arc::new(clusters);
    let identity = Identity::new(
        google.clone(),
        clusters.clone(),
        Arc::clone(&nobody),
        Variables::default(),
    );
    let storage = Storage::new(Arc::clone(&endpoints), Arc::clone(&nobody));
    let registry = Registry::new(endpoints, nobody);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("key.pem"), "a key").expect("written");
    let workspace = Workspace::open(Options {
        root: folder.path().to_owned(),
        scratch: folder.path().to_owned(),
        hidden: Vec::new(),
        unverified: false,
    });
    let secrets = BTreeMap::from([("hook".to_owned(), Secret::new("hunter22"))]);
    let services = Services::default()
        .with(Arc::new(workspace.expect("a folder")))
        .with(Arc::new(storage))
        .with(Arc::new(google))
        .with(Arc::new(registry))
        .with(clusters)
        .with(Arc::new(identity))
        .with(Arc::new(HttpClient::default()))
        .with(Arc::new(Secrets(secrets)));
    (Arc::new(services), folder)
}
