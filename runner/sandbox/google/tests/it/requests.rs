//! The runner's calls of Google's control plane are those that Google's own clients make.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::OriginalUri;
use axum::http::Method;
use axum::routing::any;
use axum::{Json, Router};
use google_cloud_api_serviceusage_v1::client::ServiceUsage;
use google_cloud_artifactregistry_v1::client::ArtifactRegistry;
use google_cloud_auth::credentials::anonymous;
use google_cloud_container_v1::client::ClusterManager;
use google_cloud_gax::paginator::Paginator as _;
use google_cloud_iam_admin_v1::client::Iam;
use google_cloud_iam_admin_v1::model::ServiceAccount;
use google_cloud_iam_credentials_v1::client::IAMCredentials;
use google_cloud_iam_v1::model::{Binding, GetPolicyOptions, Policy};
use google_cloud_resourcemanager_v3::client::Projects;
use google_cloud_secretmanager_v1::client::SecretManagerService;
use google_cloud_wkt::Duration;
use serde_json::{Value, json};
use sidestep_control_plane::{ControlPlane, Policed};
use sidestep_google::{Credentials, Endpoints, Name, Service, account_of_any_project};
use url::form_urlencoded;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// A request as a server receives it.
#[derive(Debug, PartialEq)]
struct Request {
    method: Method,
    path: String,
    query: BTreeSet<(String, String)>,
    body: Value,
}

/// A server that answers `{}`, and the requests that it received.
struct Recorder {
    base: String,
    received: Arc<Mutex<Vec<Request>>>,
}

impl Recorder {
    async fn new() -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        let answer = move |method: Method, OriginalUri(uri): OriginalUri, body: Bytes| {
            let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
                .into_owned()
                // Google's clients ask for enums as numbers, which hides the names of values that
                // they do not know, and they send the parts of other forms of a name as empty.
                .filter(|(key, value)| key != "$alt" && !value.is_empty())
                .collect();
            kept.lock().unwrap().push(Request {
                method,
                path: uri.path().to_owned(),
                query,
                body: serde_json::from_slice(&body).unwrap_or_default(),
            });
            async { Json(json!({})) }
        };
        let base = sidestep_test_harness::serve(Router::new().fallback(any(answer))).await;
        Self { base, received }
    }

    /// Returns the runner's calls of this server.
    fn ours(&self) -> ControlPlane {
        let mut endpoints = Endpoints::default();
        for service in Service::ALL {
            endpoints.set(service, self.base.parse().unwrap());
        }
        ControlPlane::new(Arc::new(endpoints), Arc::new(Credentials::anonymous()))
    }

    /// Checks that the two requests that came last are the same.
    fn same(&self, method: &Method, path: &str) {
        let mut received = self.received.lock().unwrap();
        let [ours, theirs] = &received[..] else {
            panic!("{path}: {received:?}");
        };
        assert_eq!(ours, theirs);
        assert_eq!((&ours.method, &*ours.path), (method, path));
        received.clear();
    }
}

macro_rules! theirs {
    ($client:ty, $server:expr) => {
        <$client>::builder()
            .with_endpoint(&$server.base)
            .with_credentials(anonymous::Builder::new().build())
            .build()
            .await
            .unwrap()
    };
}

/// Makes a call with both clients and compares the requests.
macro_rules! same {
    ($server:expr, $method:ident $path:expr, $ours:expr, $theirs:expr) => {
        $ours.await.unwrap();
        Box::pin($theirs.send()).await.unwrap();
        $server.same(&Method::$method, $path);
    };
}

fn name(shape: &str, text: &str) -> Name {
    Name::read("resource", shape, text).unwrap()
}

#[tokio::test]
async fn resources_are_read_as_googles_clients_read_them() {
    let server = Recorder::new().await;
    let ours = server.ours();

    let project = name("projects/P", "projects/example.com:web");
    let (text, path) = (project.as_str(), "/v3/projects/example.com:web");
    let projects = theirs!(Projects, server);
    same!(server, GET path, ours.project("", &project), projects.get_project().set_name(text));

    let service = "projects/demo/services/iam.googleapis.com";
    let service = name("projects/P/services/S", service);
    let (text, path) = (service.as_str(), format!("/v1/{service}"));
    let usage = theirs!(ServiceUsage, server);
    same!(
        server,
        GET & path,
        ours.service("", &service),
        usage.get_service().set_name(text)
    );

    let cluster = "projects/demo/locations/europe-west1/clusters/ci";
    let cluster = name("projects/P/locations/L/clusters/C", cluster);
    let (text, path) = (cluster.as_str(), format!("/v1/{cluster}"));
    let clusters = theirs!(ClusterManager, server);
    same!(
        server,
        GET & path,
        ours.cluster("", &cluster),
        clusters.get_cluster().set_name(text)
    );
    let path = format!("{path}/nodePools");
    let pools = clusters.list_node_pools().set_parent(text);
    same!(server, GET & path, ours.node_pools("", &cluster), pools);

    let repository = "projects/demo/locations/europe/repositories/images";
    let repository = name("projects/P/locations/L/repositories/R", repository);
    let (text, path) = (repository.as_str(), format!("/v1/{repository}"));
    let registry = theirs!(ArtifactRegistry, server);
    let theirs = registry.get_repository().set_name(text);
    same!(server, GET & path, ours.repository("", &repository), theirs);

    let version = "projects/demo/secrets/greeting/versions/latest";
    let version = name("projects/P/secrets/S/versions/V", version);
    let (text, path) = (version.as_str(), format!("/v1/{version}:access"));
    let secrets = theirs!(SecretManagerService, server);
    let theirs = secrets.access_secret_version().set_name(text);
    same!(
        server,
        GET & path,
        ours.secret_version("", &version),
        theirs
    );
}

#[tokio::test]
async fn accounts_and_roles_are_read_and_made_as_googles_clients_do() {
    let server = Recorder::new().await;
    let (ours, iam) = (server.ours(), theirs!(Iam, server));

    let email = "builder@demo.iam.gserviceaccount.com";
    let account = sidestep_google::service_account(email).unwrap();
    let (text, path) = (account.as_str(), format!("/v1/{account}"));
    let theirs = iam.get_service_account().set_name(text);
    same!(
        server,
        GET & path,
        ours.service_account("", &account),
        theirs
    );
    let path = format!("{path}/keys");
    let theirs = iam.list_service_account_keys().set_name(text);
    same!(
        server,
        GET & path,
        ours.service_account_keys("", &account),
        theirs
    );

    let project = name("projects/P", "projects/demo");
    let path = format!("/v1/{project}/serviceAccounts");
    ours.service_accounts("", &project).await.unwrap();
    let accounts = iam.list_service_accounts().set_name(project.as_str());
    let mut pages = accounts.set_page_size(100).by_page();
    pages.next().await.unwrap().unwrap();
    server.same(&Method::GET, &path);

    let new = || {
        ServiceAccount::new()
            .set_display_name("Uploader")
            .set_description("Uploads contexts")
    };
    let made = ours.create_service_account("", &project, "uploader", new());
    let theirs = iam.create_service_account().set_name(project.as_str());
    let theirs = theirs.set_account_id("uploader").set_service_account(new());
    same!(server, POST & path, made, theirs);

    for (shape, role) in [
        ("roles/R", "roles/viewer"),
        ("projects/P/roles/R", "projects/demo/roles/builder"),
        ("organizations/O/roles/R", "organizations/1/roles/builder"),
    ] {
        let (role, path) = (name(shape, role), format!("/v1/{role}"));
        let theirs = iam.get_role().set_name(role.as_str());
        same!(server, GET & path, ours.role("", &role), theirs);
    }

    let account = account_of_any_project(email).unwrap();
    let path = format!("/v1/{account}:generateAccessToken");
    let credentials = theirs!(IAMCredentials, server);
    let theirs = credentials.generate_access_token();
    let theirs = theirs.set_name(account.as_str()).set_scope([SCOPE]);
    let theirs = theirs.set_lifetime(Duration::clamp(600, 0));
    same!(
        server,
        POST & path,
        ours.access_token("", &account, SCOPE, 600),
        theirs
    );
}

/// Calls the three methods of a policy with both clients.
macro_rules! same_policies {
    ($server:expr, $ours:expr, $client:expr, $kind:ident, $name:expr, $root:expr, $read:ident) => {
        let name = $name;
        let path = format!("{}/{name}", $root);
        let read = format!("{path}:getIamPolicy");
        let version = GetPolicyOptions::new().set_requested_policy_version(3);
        let theirs = $client.get_iam_policy().set_resource(name.as_str());
        let policy = $ours.policy("", Policed::$kind, &name);
        same!($server, $read & read, policy, theirs.set_options(version));

        let bindings = || {
            let binding = Binding::new()
                .set_role("roles/viewer")
                .set_members(["user:a@b"]);
            Policy::new().set_etag(&b"etag"[..]).set_bindings([binding])
        };
        let write = format!("{path}:setIamPolicy");
        let theirs = $client.set_iam_policy().set_resource(name.as_str());
        let set = $ours.set_policy("", Policed::$kind, &name, bindings());
        same!(
            $server,
            POST & write,
            set,
            theirs.set_policy(bindings().set_version(3))
        );

        let test = format!("{path}:testIamPermissions");
        let permissions = ["a.b.get".to_owned(), "a.b.list".to_owned()];
        let theirs = $client.test_iam_permissions().set_resource(name.as_str());
        let held = $ours.test_permissions("", Policed::$kind, &name, &permissions);
        same!(
            $server,
            POST & test,
            held,
            theirs.set_permissions(&permissions)
        );
    };
}

#[tokio::test]
async fn policies_are_read_and_set_as_googles_clients_do() {
    let server = Recorder::new().await;
    let ours = server.ours();
    let project = name("projects/P", "projects/demo");
    let client = theirs!(Projects, server);
    same_policies!(server, ours, client, Project, project, "/v3", POST);

    let account = sidestep_google::service_account("builder@demo.iam.gserviceaccount.com");
    let client = theirs!(Iam, server);
    same_policies!(
        server,
        ours,
        client,
        ServiceAccount,
        account.unwrap(),
        "/v1",
        POST
    );

    let repository = "projects/demo/locations/europe/repositories/images";
    let repository = name("projects/P/locations/L/repositories/R", repository);
    let client = theirs!(ArtifactRegistry, server);
    same_policies!(server, ours, client, Repository, repository, "/v1", GET);

    let secret = name("projects/P/secrets/S", "projects/demo/secrets/greeting");
    let client = theirs!(SecretManagerService, server);
    let theirs = client.get_secret().set_name(secret.as_str());
    let look = ours.look("", Policed::Secret, &secret);
    same!(server, GET "/v1/projects/demo/secrets/greeting", look, theirs);
    same_policies!(server, ours, client, Secret, secret, "/v1", GET);
}
