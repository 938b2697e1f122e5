//! The metadata server, as pods and client libraries call it.

use axum::body::Body;
use axum::http::Request;
use sidestep_sandbox_google::metadata::router;
use sidestep_sandbox_identity::{Access as _, Caller};

use crate::world::{BUILDER, World, send};

const ACCOUNT: &str = "instance/service-accounts/default";

async fn who(world: &World, account: &str) -> Caller {
    let reply = world
        .metadata(World::pod(account), &format!("{ACCOUNT}/token?scopes=x"))
        .await
        .ok();
    assert_eq!(reply["token_type"], "Bearer");
    world
        .cloud
        .identity()
        .caller(reply["access_token"].as_str())
        .unwrap()
}

fn account(email: &str) -> Caller {
    Caller::Member(format!("serviceAccount:{email}"))
}

#[tokio::test]
async fn it_looks_like_google() {
    let world = World::of("healthy");
    let bare = Request::get("/").body(Body::empty()).unwrap();
    let reply = send(router(&world.cloud, World::pod("kaniko")), bare).await;
    assert_eq!(
        (
            reply.status,
            reply.headers["metadata-flavor"].to_str().unwrap()
        ),
        (200, "Google")
    );

    let unmarked = Request::get("/computeMetadata/v1/project/project-id")
        .body(Body::empty())
        .unwrap();
    let reply = send(router(&world.cloud, World::pod("kaniko")), unmarked).await;
    assert_eq!(reply.status, 403);
    assert!(reply.text.contains("Metadata-Flavor"), "{}", reply.text);

    let forwarded = Request::get("/computeMetadata/v1/project/project-id")
        .header("Metadata-Flavor", "Google")
        .header("X-Forwarded-For", "10.0.0.1")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        send(router(&world.cloud, World::pod("kaniko")), forwarded)
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_linked_pod_is_its_google_account() {
    let world = World::of("healthy");
    assert_eq!(who(&world, "kaniko").await, account(BUILDER));
    for (path, text) in [
        (format!("{ACCOUNT}/email"), BUILDER.to_owned()),
        ("project/project-id".to_owned(), "demo".to_owned()),
        (
            "project/numeric-project-id".to_owned(),
            "123456789012".to_owned(),
        ),
        (
            "universe/universe-domain".to_owned(),
            "googleapis.com".to_owned(),
        ),
        (
            "instance/service-accounts/".to_owned(),
            format!("{BUILDER}/\ndefault/\n"),
        ),
        (
            "instance/attributes/cluster-name".to_owned(),
            "ci".to_owned(),
        ),
    ] {
        let reply = world.metadata(World::pod("kaniko"), &path).await;
        assert_eq!((reply.status, reply.text), (200, text), "{path}");
    }
    let all = world
        .metadata(World::pod("kaniko"), &format!("{ACCOUNT}/?recursive=true"))
        .await
        .ok();
    assert_eq!(all["email"], BUILDER);
    assert_eq!(
        all["scopes"][0],
        "https://www.googleapis.com/auth/cloud-platform"
    );
    let by_email = format!("instance/service-accounts/{BUILDER}/token");
    world.metadata(World::pod("kaniko"), &by_email).await.ok();
    for path in [
        "instance/service-accounts/other@x/token",
        "nothing",
        "project/project-id/more",
    ] {
        assert_eq!(
            world.metadata(World::pod("kaniko"), path).await.status,
            404,
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_unlinked_pod_is_its_own_principal() {
    let world = World::of("healthy");
    let principal = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo.svc.id.goog/subject/ns/builds/sa/kaniko-direct";
    assert_eq!(
        who(&world, "kaniko-direct").await,
        Caller::Member(principal.to_owned())
    );
    let email = async || {
        let path = format!("{ACCOUNT}/email");
        world
            .metadata(World::pod("kaniko-direct"), &path)
            .await
            .text
    };
    assert_eq!(email().await, "demo.svc.id.goog");
    world.accounts.annotate(
        "kaniko-direct",
        "iam.gke.io/return-principal-id-as-email",
        Some("true"),
    );
    assert_eq!(email().await, principal);
}

#[tokio::test]
async fn without_gkes_server_a_pod_is_the_node() {
    let node = account("123456789012-compute@developer.gserviceaccount.com");
    for scenario in ["metadata-server-off", "no-workload-pool", "node-account"] {
        assert_eq!(
            who(&World::of(scenario), "kaniko").await,
            node,
            "{scenario}"
        );
    }
    let world = World::of("healthy");
    let pod = sidestep_sandbox_google::metadata::PodIdentity {
        host_network: true,
        ..World::pod("kaniko")
    };
    let reply = world.metadata(pod, &format!("{ACCOUNT}/email")).await;
    assert_eq!(
        reply.text,
        "123456789012-compute@developer.gserviceaccount.com"
    );
}

#[tokio::test]
async fn refusals_have_gkes_words() {
    let start = "Unable to generate access token; IAM returned ";
    for (scenario, status, says) in [
        (
            "no-binding",
            403,
            "403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).\n",
        ),
        (
            "account-deleted",
            404,
            "404 Not Found: Not found; Gaia id not found for email builder@demo.iam.gserviceaccount.com\n",
        ),
        (
            "wrong-annotation",
            404,
            "404 Not Found: Not found; Gaia id not found for email bulider@demo.iam.gserviceaccount.com\n",
        ),
        (
            "api-disabled",
            403,
            "403 Forbidden: IAM Service Account Credentials API has not been used in project 123456789012 ",
        ),
    ] {
        let world = World::of(scenario);
        let reply = world
            .metadata(World::pod("kaniko"), &format!("{ACCOUNT}/token"))
            .await;
        assert_eq!(reply.status, status, "{scenario}");
        let rest = reply
            .text
            .strip_prefix(start)
            .unwrap_or_else(|| panic!("{}", reply.text));
        assert!(rest.starts_with(says), "{scenario}: {rest}");
    }
    let world = World::of("service-account-missing");
    let reply = world
        .metadata(World::pod("kaniko"), &format!("{ACCOUNT}/token"))
        .await;
    assert_eq!(reply.status, 404);
    assert!(reply.text.contains("builds/kaniko"), "{}", reply.text);
    // The rest of the metadata is still available.
    assert_eq!(
        world
            .metadata(World::pod("kaniko"), "project/project-id")
            .await
            .text,
        "demo"
    );
}

#[tokio::test]
async fn a_linked_pod_has_id_tokens_that_verify() {
    let world = World::of("healthy");
    let path = format!("{ACCOUNT}/identity?audience=https://example.com&format=full");
    let reply = world.metadata(World::pod("kaniko"), &path).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let keys: jsonwebtoken::jwk::JwkSet =
        serde_json::from_value(world.cloud.certificates()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(&keys.keys[0]).unwrap();
    let mut wanted = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    wanted.set_audience(&["https://example.com"]);
    wanted.set_issuer(&["https://accounts.google.com"]);
    let token = jsonwebtoken::decode::<serde_json::Value>(&reply.text, &key, &wanted).unwrap();
    assert_eq!(token.claims["email"], BUILDER);
    assert_eq!(token.claims["sub"].as_str().unwrap().len(), 21);

    let direct = world.metadata(World::pod("kaniko-direct"), &path).await;
    assert_eq!(direct.status, 404, "{}", direct.text);
    let unaddressed = world
        .metadata(World::pod("kaniko"), &format!("{ACCOUNT}/identity"))
        .await;
    assert_eq!(unaddressed.status, 400);
    let unbound = World::of("no-binding")
        .metadata(World::pod("kaniko"), &path)
        .await;
    assert_eq!(unbound.status, 403);
    assert!(
        unbound.text.contains("iam.serviceAccounts.getOpenIdToken"),
        "{}",
        unbound.text
    );
    let state = format!("{:?}", world.cloud.snapshot());
    assert!(!state.contains("PRIVATE"), "the key is not shown");
}

#[tokio::test]
async fn a_node_serves_each_pod_by_its_address() {
    let world = World::of("healthy");
    let other = "builds-of-others";
    let elsewhere = sidestep_sandbox_google::metadata::PodIdentity {
        namespace: other.to_owned(),
        ..World::pod("kaniko")
    };
    world.accounts.add(other, "kaniko");
    world.accounts.place("10.0.0.7", World::pod("kaniko"));
    world
        .accounts
        .place("10.0.0.8", World::pod("kaniko-direct"));
    world.accounts.place("10.0.0.9", elsewhere);
    let path = format!("{ACCOUNT}/token");
    let who = async |address: &str| {
        let reply = world.at_address(address, &path).await.ok();
        let caller = world.cloud.identity();
        caller.caller(reply["access_token"].as_str()).unwrap()
    };
    assert_eq!(who("10.0.0.7").await, account(BUILDER));
    assert_eq!(who("::ffff:10.0.0.7").await, account(BUILDER));
    let principal = |namespace: &str, name: &str| {
        Caller::Member(format!(
            "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo.svc.id.goog/subject/ns/{namespace}/sa/{name}"
        ))
    };
    assert_eq!(who("10.0.0.8").await, principal("builds", "kaniko-direct"));
    // The same account's name in another namespace, without the annotation, is another identity.
    assert_eq!(who("10.0.0.9").await, principal(other, "kaniko"));

    let reply = world.at_address("10.0.0.10", &path).await;
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.text,
        "10.0.0.10 is not the address of a running pod that this metadata server serves\n"
    );
    assert_eq!(reply.headers["metadata-flavor"], "Google");
}

#[tokio::test]
async fn gke_describes_the_clusters_api_server() {
    use sidestep_sandbox_google::Api;
    let world = World::of("healthy");
    let cluster = crate::world::CLUSTER;
    world.cloud.describe_cluster(cluster);
    let path = format!("/v1/{cluster}");
    let shown = world
        .dev(Api::Container, "GET", &path, serde_json::Value::Null)
        .await
        .ok();
    assert_eq!(shown["endpoint"], "127.0.0.1:6443");
    assert_eq!(shown["currentMasterVersion"], "1.36.3");
    assert_eq!(shown["masterAuth"]["clusterCaCertificate"], "aXRzIENB");
    assert_eq!(
        shown["workloadIdentityConfig"]["workloadPool"],
        "demo.svc.id.goog"
    );
}
