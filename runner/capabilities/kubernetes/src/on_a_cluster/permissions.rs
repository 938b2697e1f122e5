//! Tokens and access reviews of a real API server.

use std::time::Duration;

use kube::Client;
use serde_json::Value;
use sidestep_bindings::sidestep::kubernetes::objects::AccessQuery;
use sidestep_cluster_testing::{Cluster, Namespace};
use sidestep_events::Class;
use sidestep_google::{IssuesTokens as _, TokenOf};

use super::on;
use crate::access::can_i;
use crate::tokens::Tokens;

const PATIENCE: Duration = Duration::from_secs(30);

fn token_of<'a>(namespace: &'a str, service_account: &'a str) -> TokenOf<'a> {
    TokenOf {
        namespace,
        service_account,
        audience: "demo.svc.id.goog",
        life: 3600,
    }
}

/// Returns the claims of a token, without a check.
fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).expect("three parts");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part);
    serde_json::from_slice(&bytes.expect("base64")).expect("JSON")
}

#[test]
fn a_token_is_of_its_account_and_for_its_audience() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let tokens = Tokens(client);
        let name = namespace.name();
        let answer = tokens
            .issue("get a token", token_of(name, "default"), PATIENCE)
            .await
            .expect("a token");
        let token = answer["status"]["token"].as_str().expect("a token");
        let claims = claims(token);
        assert_eq!(
            claims["sub"],
            format!("system:serviceaccount:{name}:default")
        );
        assert_eq!(claims["aud"], serde_json::json!(["demo.svc.id.goog"]));
        let life =
            claims["exp"].as_i64().expect("a time") - claims["iat"].as_i64().expect("a time");
        assert_eq!(life, 3600);

        let failure = tokens
            .issue("get a token", token_of(name, "missing"), PATIENCE)
            .await
            .expect_err("there is no such account");
        assert_eq!(failure.class, Class::NotFound, "{failure:?}");
    });
}

fn query(namespace: &str, verb: &str, resource: &str) -> AccessQuery {
    AccessQuery {
        cluster: "unused".to_owned(),
        namespace: Some(namespace.to_owned()),
        verb: verb.to_owned(),
        group: String::new(),
        resource: resource.to_owned(),
        name: None,
    }
}

#[test]
fn an_access_review_follows_the_roles() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let name = namespace.name();
        let all = can_i(client, &query(name, "create", "pods"))
            .await
            .expect("an answer");
        assert!(all.allowed, "{all:?}");

        let client = reader(cluster, namespace, "--resource=pods,pods/log").await;
        // Bindings reach the authorizer through a watch.
        let allowed = async |verb: &str, resource: &str| {
            let query = query(name, verb, resource);
            can_i(client.clone(), &query)
                .await
                .expect("an answer")
                .allowed
        };
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !allowed("get", "pods").await {
            assert!(
                tokio::time::Instant::now() < deadline,
                "the binding never counts"
            );
        }
        assert!(allowed("get", "pods/log").await);
        assert!(!allowed("create", "pods").await);
        assert!(!allowed("get", "secrets").await);
    });
}

/// Returns a client of a service account that may get these resources.
async fn reader(cluster: &Cluster, namespace: &Namespace<'_>, resources: &str) -> Client {
    let name = namespace.name();
    namespace.ok(&["create", "serviceaccount", "reader"]);
    namespace.ok(&["create", "role", "reader", "--verb=get", resources]);
    let account = format!("--serviceaccount={name}:reader");
    namespace.ok(&["create", "rolebinding", "reader", "--role=reader", &account]);
    let token = namespace.ok(&["create", "token", "reader"]);
    client_with(cluster, token.trim()).await
}

#[test]
fn keys_are_told_to_those_who_may_get_secrets_and_to_no_other() {
    let Some(cluster) = sidestep_cluster_testing::api() else {
        return;
    };
    on(cluster, async |client, namespace| {
        let name = namespace.name();
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
        let key = serde_json::json!({
            "type": "service_account", "private_key_id": "0a1b2c3d",
            "private_key": format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"),
        });
        let entry = format!("--from-literal=key.json={key}");
        namespace.ok(&["create", "secret", "generic", "app-key", &entry]);
        let ask = async |client: Client| crate::link::keys_of(client, name, "app-key").await;
        let keys = ask(client).await.expect("an answer");
        assert_eq!(keys[0].fact.key_id.as_deref(), Some("0a1b2c3d"));
        assert!(!format!("{keys:?}").contains(body));

        let other = reader(cluster, namespace, "--resource=pods").await;
        let failure = ask(other).await.expect_err("it may not");
        assert_eq!(
            (failure.class.as_str(), failure.code.as_str()),
            ("denied", "kubernetes.forbidden")
        );
    });
}

/// Returns a client of another user.
async fn client_with(cluster: &Cluster, token: &str) -> Client {
    use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
    let file = Kubeconfig::read_from(cluster.kubeconfig()).expect("a kubeconfig");
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(file, &options).await;
    let mut config = config.expect("a configuration");
    config.auth_info = AuthInfo {
        token: Some(token.to_owned().into()),
        ..AuthInfo::default()
    };
    Client::try_from(config).expect("a client")
}
