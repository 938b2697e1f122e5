//! A sandbox, and a step that proves identities in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_bindings::sidestep::identity::prove::Host as _;
use sidestep_control_plane::ControlPlane;
use sidestep_evaluator_guest::Native;
use sidestep_gate::Services;
use sidestep_gate_testing::{Kept, state_with};
use sidestep_google::{Credentials, Endpoints, Service};
use sidestep_kubernetes::Clusters;
use sidestep_policy::Capability as Key;
use sidestep_sandbox::{CallerFiles, Live, LocalImages, Options, Places, Scenario, serve};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::Calls;
use crate::{Evaluates, Identity, Variables};

pub(super) const CLUSTER: &str = "projects/demo/locations/europe-west1/clusters/ci";
pub(super) const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";
pub(super) const REPOSITORY: &str = "projects/demo/locations/europe/repositories/images";

/// A sandbox that ends with its test.
pub(super) struct TestSandbox {
    pub(super) endpoints: Endpoints,
    pub(super) credentials: Arc<Credentials>,
    pub(super) files: CallerFiles,
    _end: tokio_util::sync::DropGuard,
    _folder: tempfile::TempDir,
}

impl TestSandbox {
    pub(super) async fn new(scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let places = Places::new(folder.path(), scenario);
        let options = Options {
            places,
            scenario: Scenario::named(scenario).expect("it ships"),
            // The tests run no pods.
            program: "/nonexistent".into(),
            images: LocalImages::default(),
            relay_image: "localhost/none".to_owned(),
            idle: None,
            caller: None,
            cluster: None,
            evaluator: Arc::new(Native),
        };
        let stop = CancellationToken::new();
        let (ready, is_ready) = oneshot::channel::<(Live, CallerFiles)>();
        let is_up = |live: &Live, files: &CallerFiles| {
            let told = (live.clone(), files.clone());
            ready.send(told).expect("the test waits");
        };
        let server = serve(options, stop.clone(), is_up, |_| {});
        tokio::spawn(async { server.await.expect("the sandbox serves") });
        let (live, files) = is_ready.await.expect("the sandbox is ready");
        let mut endpoints = Endpoints::default();
        for (name, url) in &live.endpoints {
            let service: Service = name.parse().expect("a service");
            endpoints.set(service, url.parse().expect("a URL"));
        }
        let file = std::fs::read(files.credentials()).expect("readable");
        let file = serde_json::from_slice(&file).expect("JSON");
        let credentials = Credentials::external_account(file).found_at(&files.credentials());
        Self {
            endpoints,
            credentials: Arc::new(credentials),
            files,
            _end: stop.drop_guard(),
            _folder: folder,
        }
    }

    /// Moves a service to another address.
    pub(super) fn moved(mut self, service: Service, url: &str) -> Self {
        self.endpoints.set(service, url.parse().expect("a URL"));
        self
    }

    pub(super) fn identity(&self) -> Identity {
        identity(
            &self.endpoints,
            Arc::clone(&self.credentials),
            Variables::default(),
        )
    }

    /// Returns a step that may prove anything.
    pub(super) fn prover(&self) -> Prover {
        Prover::new(self.identity(), &[(Key::Identity, anything())])
    }

    /// Proves one subject.
    pub(super) async fn prove(&self, subject: wit::Subject) -> wit::Proof {
        self.prover().proof(subject).await
    }
}

/// A step that may prove identities.
pub(super) struct Prover {
    pub(super) state: Calls<'static>,
    pub(super) kept: Arc<Kept>,
}

impl Prover {
    pub(super) fn new(identity: Identity, granted: &[(Key, Value)]) -> Self {
        let services = Services::default()
            .with(Arc::new(identity))
            .with(Arc::new(Evaluates(Arc::new(Native))));
        let (state, kept) = state_with(granted, services);
        let state = Calls(state);
        Self { state, kept }
    }

    pub(super) async fn prove(&mut self, subject: wit::Subject) -> Result<wit::Proof, WitFailure> {
        let mut answers = self.state.prove(vec![subject]).await.expect("no trap");
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    pub(super) async fn proof(&mut self, subject: wit::Subject) -> wit::Proof {
        self.prove(subject).await.expect("it is tried")
    }
}

pub(super) fn identity(
    endpoints: &Endpoints,
    credentials: Arc<Credentials>,
    variables: Variables,
) -> Identity {
    let google = ControlPlane::new(Arc::new(endpoints.clone()), Arc::clone(&credentials));
    let clusters = Clusters::new(
        Arc::new(google.clone()),
        Arc::clone(&credentials),
        BTreeMap::new(),
    );
    Identity {
        patience: Duration::from_secs(10),
        ..Identity::new(google, Arc::new(clusters), credentials, variables)
    }
}

/// Returns the scope of a step that may prove any identity.
pub(super) fn anything() -> Value {
    json!([{"cluster": "**", "namespace": "**"}])
}

/// Returns a service account of the namespace `builds`.
pub(super) fn subject(account: &str, impersonate: Option<&str>) -> wit::Subject {
    wit::Subject {
        cluster: CLUSTER.to_owned(),
        namespace: "builds".to_owned(),
        service_account: account.to_owned(),
        pool: "demo.svc.id.goog".to_owned(),
        provider: format!("https://container.googleapis.com/v1/{CLUSTER}"),
        impersonate: impersonate.map(str::to_owned),
        targets: Vec::new(),
    }
}

pub(super) fn target(resource: wit::PolicyResource, permissions: &[&str]) -> wit::Target {
    wit::Target {
        resource,
        permissions: permissions.iter().map(|&p| p.to_owned()).collect(),
        object: None,
    }
}

/// Returns the failure of a proof's last link, after checking that the others precede it.
pub(super) fn broken(proof: &wit::Proof) -> (wit::Link, &WitFailure) {
    let (last, before) = proof.links.split_last().expect("a link");
    assert!(
        before.iter().all(|link| link.failure.is_none()),
        "{proof:?}"
    );
    assert_eq!((&proof.principal, proof.targets.len()), (&None, 0));
    (last.link, last.failure.as_ref().expect("it is broken"))
}
