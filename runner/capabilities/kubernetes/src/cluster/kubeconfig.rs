//! Clients of clusters that the operator named: a kubeconfig's, or the one that the runner is in.

use std::time::Duration;

use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use secrecy::ExposeSecret as _;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_google::Credentials;

use super::limits::bounded;
use super::{Mapped, proxy};
use crate::bounds::Bounds;

/// The timeout for a program of the kubeconfig that returns credentials.
const PROGRAM: Duration = Duration::from_mins(1);

pub(super) async fn client(
    cluster: &str,
    mapped: &Mapped,
    credentials: &Credentials,
) -> Result<Client, Failure> {
    let unusable = |why: String| {
        Failure::new(
            Class::Failed,
            codes::kubernetes::CLUSTER_UNUSABLE,
            Owner::Operator,
            format!("cluster `{cluster}`, as mapped in the settings, can't be used: {why}"),
        )
        .with_help(
            "correct its entry in the setting `clusters`, or the kubeconfig that the entry names",
        )
    };
    let failed = |error: tokio::task::JoinError| Failure::bug(format!("{error}"));
    let (mut config, named) = match mapped {
        Mapped::InCluster => {
            let config = Config::incluster().map_err(|error| unusable(error.to_string()))?;
            (config, None)
        }
        Mapped::Context(context) => {
            let kubeconfig = tokio::task::spawn_blocking(Kubeconfig::read).await;
            let kubeconfig = kubeconfig
                .map_err(failed)?
                .map_err(|error| unusable(error.to_string()))?;
            let named = proxy_of(&kubeconfig, context);
            let config = config(kubeconfig, context).await;
            (config.map_err(|error| unusable(error.to_string()))?, named)
        }
    };
    config.proxy_url = proxy::of(cluster, &config.cluster_url, named.as_deref())?;
    make_known(&config, credentials);
    bounded(&mut config);
    // This runs the kubeconfig's program, and waits for it.
    let client = tokio::task::spawn_blocking(|| {
        let builder = ClientBuilder::try_from(config)?;
        Ok::<_, kube::Error>(builder.with_layer(&Bounds).build())
    });
    let Ok(client) = tokio::time::timeout(PROGRAM, client).await else {
        return Err(unusable(format!(
            "the kubeconfig's program returned no credentials within {} s",
            PROGRAM.as_secs()
        )));
    };
    client
        .map_err(failed)?
        .map_err(|error| unusable(error.to_string()))
}

async fn config(kubeconfig: Kubeconfig, context: &str) -> Result<Config, KubeconfigError> {
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    Config::from_custom_kubeconfig(kubeconfig, &options).await
}

/// Returns the proxy that the kubeconfig names for a context's cluster.
fn proxy_of(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    let contexts = kubeconfig.contexts.iter();
    let context = contexts.into_iter().find(|entry| entry.name == context)?;
    let cluster = &context.context.as_ref()?.cluster;
    let mut clusters = kubeconfig.clusters.iter();
    let entry = clusters.find(|entry| entry.name == *cluster)?;
    entry.cluster.as_ref()?.proxy_url.clone()
}

/// Adds the cluster's token to the masks of the runner's log. A token that a program of the
/// kubeconfig creates is only recognised by its form.
fn make_known(config: &Config, credentials: &Credentials) {
    let auth = &config.auth_info;
    if let Some(token) = &auth.token {
        credentials.make_known(token.expose_secret());
    }
    let of_file = auth.token_file.as_ref();
    if let Some(token) = of_file.and_then(|file| std::fs::read_to_string(file).ok()) {
        credentials.make_known(token.trim());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::extract::{Request, State};
    use http::header::AUTHORIZATION;

    use super::*;

    type Seen = Arc<Mutex<Vec<String>>>;

    async fn answer(State(seen): State<Seen>, request: Request) -> String {
        let token = request.headers()[AUTHORIZATION].to_str().expect("ASCII");
        seen.lock().expect("no panic").push(token.to_owned());
        String::new()
    }

    /// Serves an API server that records the tokens of its callers; returns its address.
    async fn serve(seen: &Seen) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(answer).with_state(Arc::clone(seen));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn kubeconfig(server: &str, user: &str) -> Kubeconfig {
        let text = format!(
            "clusters: [{{ name: c, cluster: {{ server: '{server}', proxy-url: 'socks5://p:1' }} }}]\n\
             users: [{{ name: u, user: {user} }}]\n\
             contexts: [{{ name: prod, context: {{ cluster: c, user: u }} }}]\n"
        );
        Kubeconfig::from_yaml(&text).expect("a kubeconfig")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_programs_token_is_renewed_when_it_has_expired() {
        let seen = Seen::default();
        let server = serve(&seen).await;
        let folder = tempfile::tempdir().expect("a folder");
        let count = folder.path().join("count");
        std::fs::write(&count, "").expect("written");
        // Each call returns another token, which has expired already.
        let program = r#"printf x >> "$0"; printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t%s", "expirationTimestamp": "2000-01-01T00:00:00Z"}}' "$(wc -c < "$0" | tr -d ' ')""#;
        let user = serde_json::json!({ "exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
            "command": "sh", "args": ["-c", program, count] } });
        let config = config(kubeconfig(&server, &user.to_string()), "prod").await;
        let mut config = config.expect("a configuration");
        config.proxy_url = None;
        bounded(&mut config);
        let client = Client::try_from(config).expect("a client");
        for _ in 0..2 {
            let request = http::Request::get("/version").body(Vec::new());
            let answer = client.request_text(request.expect("a request")).await;
            assert_eq!(answer.expect("an answer"), "");
        }
        let seen = seen.lock().expect("no panic").clone();
        let numbers: Vec<u32> = seen
            .iter()
            .map(|token| token.strip_prefix("Bearer t").expect(token))
            .map(|number| number.parse().expect("a number"))
            .collect();
        assert_eq!(numbers.len(), 2);
        assert!(numbers[0] < numbers[1], "{numbers:?}");
    }

    #[test]
    fn a_contexts_proxy_is_its_clusters() {
        let kubeconfig = kubeconfig("https://127.0.0.1:1", "{ token: t }");
        assert_eq!(
            proxy_of(&kubeconfig, "prod").as_deref(),
            Some("socks5://p:1")
        );
        assert_eq!(proxy_of(&kubeconfig, "other"), None);
    }
}
