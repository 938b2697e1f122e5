//! Google's own Rust clients against the servers, signed in through the token exchange.

use google_cloud_auth::credentials::{Credentials, external_account};
use google_cloud_container_v1::model::{ClusterUpdate, WorkloadIdentityConfig};
use sidestep_sandbox_google::{Api, developer_credentials, router};

use crate::world::{BUILDER, CLUSTER, DEVELOPER, World};

/// Serves an API of the world. The returned address has no trailing slash.
async fn serve(world: &World, api: Api) -> String {
    sidestep_test_harness::serve(router(&world.cloud, api)).await
}

/// Returns the developer's credentials, and the folder of their subject token.
async fn sign_in(world: &World) -> (Credentials, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("subject");
    std::fs::write(&file, world.cloud.identity().mint_subject(DEVELOPER).secret).unwrap();
    let config = developer_credentials(&serve(world, Api::Sts).await, &file);
    (
        external_account::Builder::new(config).build().unwrap(),
        folder,
    )
}

macro_rules! client {
    ($client:ty, $world:expr, $api:expr, $credentials:expr) => {
        <$client>::builder()
            .with_endpoint(serve($world, $api).await)
            .with_credentials($credentials.clone())
            .build()
            .await
            .unwrap()
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn googles_clients_read_every_link() {
    let world = World::of("healthy");
    let (me, _folder) = sign_in(&world).await;

    let projects = client!(
        google_cloud_resourcemanager_v3::client::Projects,
        &world,
        Api::CloudResourceManager,
        me
    );
    let project = projects
        .get_project()
        .set_name("projects/demo")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (project.name.as_str(), project.project_id.as_str()),
        ("projects/123456789012", "demo")
    );
    let policy = projects
        .get_iam_policy()
        .set_resource("projects/demo")
        .send()
        .await
        .unwrap();
    assert!(
        policy
            .bindings
            .iter()
            .any(|b| b.role == "roles/owner" && b.members == [DEVELOPER])
    );

    let usage = client!(
        google_cloud_api_serviceusage_v1::client::ServiceUsage,
        &world,
        Api::ServiceUsage,
        me
    );
    let service = usage
        .get_service()
        .set_name("projects/demo/services/iam.googleapis.com")
        .send()
        .await
        .unwrap();
    assert_eq!(service.state.name(), Some("ENABLED"));

    let gke = client!(
        google_cloud_container_v1::client::ClusterManager,
        &world,
        Api::Container,
        me
    );
    let cluster = gke.get_cluster().set_name(CLUSTER).send().await.unwrap();
    assert_eq!(
        cluster.workload_identity_config.unwrap().workload_pool,
        "demo.svc.id.goog"
    );
    let mode = cluster.node_pools[0]
        .config
        .clone()
        .unwrap()
        .workload_metadata_config
        .unwrap()
        .mode;
    assert_eq!(mode.name(), Some("GKE_METADATA"));

    let iam = client!(google_cloud_iam_admin_v1::client::Iam, &world, Api::Iam, me);
    let name = format!("projects/demo/serviceAccounts/{BUILDER}");
    let account = iam
        .get_service_account()
        .set_name(&name)
        .send()
        .await
        .unwrap();
    assert_eq!((account.email.as_str(), account.disabled), (BUILDER, false));
    let policy = iam
        .get_iam_policy()
        .set_resource(&name)
        .send()
        .await
        .unwrap();
    assert_eq!(
        policy.bindings[0].members,
        ["serviceAccount:demo.svc.id.goog[builds/kaniko]"]
    );

    let artifacts = client!(
        google_cloud_artifactregistry_v1::client::ArtifactRegistry,
        &world,
        Api::ArtifactRegistry,
        me
    );
    let name = "projects/demo/locations/europe/repositories/images";
    let repository = artifacts
        .get_repository()
        .set_name(name)
        .send()
        .await
        .unwrap();
    assert_eq!(repository.format.name(), Some("DOCKER"));
    let upload = "artifactregistry.repositories.uploadArtifacts";
    let held = artifacts
        .test_iam_permissions()
        .set_resource(name)
        .set_permissions([upload])
        .send()
        .await
        .unwrap();
    assert_eq!(held.permissions, [upload]);
    artifacts
        .get_iam_policy()
        .set_resource(name)
        .send()
        .await
        .unwrap();

    let secrets = client!(
        google_cloud_secretmanager_v1::client::SecretManagerService,
        &world,
        Api::SecretManager,
        me
    );
    let name = "projects/demo/secrets/greeting/versions/latest";
    let version = secrets
        .access_secret_version()
        .set_name(name)
        .send()
        .await
        .unwrap();
    assert_eq!(
        &version.payload.unwrap().data[..],
        b"hello from Secret Manager"
    );

    // The developer is not a workload, and has no binding on the builder.
    let credentials = client!(
        google_cloud_iam_credentials_v1::client::IAMCredentials,
        &world,
        Api::IamCredentials,
        me
    );
    let refused = credentials
        .generate_access_token()
        .set_name(format!("projects/-/serviceAccounts/{BUILDER}"))
        .set_scope(["https://www.googleapis.com/auth/cloud-platform"])
        .send()
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("iam.serviceAccounts.getAccessToken"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn googles_client_turns_workload_identity_on() {
    let world = World::of("no-workload-pool");
    let (me, _folder) = sign_in(&world).await;
    let gke = client!(
        google_cloud_container_v1::client::ClusterManager,
        &world,
        Api::Container,
        me
    );
    let wanted = WorkloadIdentityConfig::new().set_workload_pool("demo.svc.id.goog");
    let update = ClusterUpdate::new().set_desired_workload_identity_config(wanted);
    let update = gke.update_cluster().set_name(CLUSTER).set_update(update);
    let operation = Box::pin(update.send()).await.unwrap();
    assert_eq!(operation.status.name(), Some("DONE"));
    assert!(world.cloud.identity().has_workload_pool("demo.svc.id.goog"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_sign_in_is_refused() {
    let world = World::of("healthy");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("subject");
    std::fs::write(&file, "subject.sandbox-of-another").unwrap();
    let config = developer_credentials(&serve(&world, Api::Sts).await, &file);
    let credentials = external_account::Builder::new(config)
        .build_access_token_credentials()
        .unwrap();
    let error = credentials.access_token().await.unwrap_err();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    assert!(text.contains("invalid_grant"), "{text}");
}
