//! Clients of GKE's clusters: by resource name and this process's credentials alone, without a
//! kubeconfig.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_google::{ApiServer, Credentials, Name};
use tower::buffer::BufferLayer;
use tower::filter::AsyncFilterLayer;

use super::answer::{self, Unanswered};
use super::endpoint::{Candidate, Endpoint, Way, first};
use super::limits::bounded;
use super::{proxy, unreached};
use crate::bounds::{Bounds, Reads};
use crate::failure::NotSignedIn;

/// The maximum number of calls that wait for one cluster.
const CALLS_WAITING: usize = 1024;

/// The timeout of an address's answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Creates a client of the first of the cluster's addresses that answers.
///
/// # Errors
/// The failure of the credentials, if they are needed to find the address.
/// `kubernetes.cluster-unusable` if the cluster has no such address or its certificates cannot be
/// read; otherwise as [`unreached::failure`].
pub(super) async fn client(
    cluster: &Name,
    server: &ApiServer,
    choice: Endpoint,
    credentials: &Arc<Credentials>,
) -> Result<Client, Failure> {
    let candidates = choice.candidates(server);
    let connect = |candidate: &Candidate| connect(cluster, candidate, server, credentials);
    match &candidates[..] {
        [] => Err(none(cluster, server, choice)),
        // Without a choice, the first call finds out whether it answers.
        [only] if only.way != Way::Dns => connect(only),
        candidates => {
            // Without a token no address answers, and none of them is the reason.
            credentials.headers().await?;
            let attempt = |candidate: Candidate| async move {
                let client = connect(&candidate);
                match client {
                    Ok(client) => match answers(&client).await {
                        Ok(()) => Ok(Ok(client)),
                        Err(why) => Err((candidate, why)),
                    },
                    // No other address can help: they share the certificates.
                    Err(failure) => Ok(Err(failure)),
                }
            };
            let found = first(candidates, attempt).await;
            found.unwrap_or_else(|tried| Err(unreached::failure(cluster, &tried)))
        }
    }
}

/// Returns whether a Kubernetes API server answers, whatever it answers: what the caller may do
/// there shows in its calls.
async fn answers(client: &Client) -> Result<(), Unanswered> {
    let ask = async {
        let request = http::Request::get("/version").body(Body::empty());
        let mut request = request.map_err(|error| Unanswered::Broken(error.to_string()))?;
        request.extensions_mut().insert(Reads::AsSent);
        let answer = client.send(request).await;
        answer::read(answer.map_err(|error| Unanswered::of(&error))?).await
    };
    let answer = tokio::time::timeout(PATIENCE, ask).await;
    answer.unwrap_or(Err(Unanswered::Silent(PATIENCE)))
}

fn connect(
    cluster: &Name,
    candidate: &Candidate,
    server: &ApiServer,
    credentials: &Arc<Credentials>,
) -> Result<Client, Failure> {
    let wrong = |why: &str| unusable(cluster, why);
    let url = format!("https://{}", candidate.host).parse();
    let url = url.map_err(|_| wrong(&format!("{candidate} is not a valid address")))?;
    let mut config = Config::new(url);
    if candidate.way != Way::Dns && !server.authority.is_empty() {
        let certificates = certificates(&server.authority);
        let broken = || wrong("its CA certificate is not valid base64-encoded PEM");
        config.root_cert = Some(certificates.ok_or_else(broken)?);
    }
    config.proxy_url = proxy::of(cluster.as_str(), &config.cluster_url, None)?;
    bounded(&mut config);
    let credentials = Arc::clone(credentials);
    // The headers are asked for at each request, so that tokens are renewed in runs of any length.
    let authorise = AsyncFilterLayer::new(move |mut request: http::Request<Body>| {
        let credentials = Arc::clone(&credentials);
        async move {
            let headers = credentials.headers().await.map_err(NotSignedIn)?;
            request.headers_mut().extend(headers);
            Ok::<_, tower::BoxError>(request)
        }
    });
    let builder = ClientBuilder::try_from(config).map_err(|error| wrong(&error.to_string()))?;
    // The buffer makes kube's own stack, with its timeouts and proxies, clonable.
    Ok(builder
        .with_layer(&BufferLayer::new(CALLS_WAITING))
        .with_layer(&authorise)
        .with_layer(&Bounds)
        .build())
}

fn unusable(cluster: &Name, why: &str) -> Failure {
    Failure::new(
        Class::Failed,
        codes::kubernetes::CLUSTER_UNUSABLE,
        Owner::Cluster,
        format!("cluster {} can't be used: {why}", cluster.as_str()),
    )
}

/// Returns the failure of a cluster that has no address of the chosen kind.
fn none(cluster: &Name, server: &ApiServer, choice: Endpoint) -> Failure {
    if *server == ApiServer::default() {
        return unusable(cluster, "it has no endpoint yet")
            .with_help("wait until GKE has created the cluster, then try again");
    }
    let kind = match choice {
        Endpoint::Auto => {
            let why = "its only endpoint is a DNS endpoint that accepts no requests from outside of Google Cloud's services";
            return unusable(cluster, why).with_helps(unreached::open_dns(cluster));
        }
        Endpoint::Public => "public",
        Endpoint::Private => "private",
        Endpoint::Dns => "DNS",
    };
    let mut failure = unusable(
        cluster,
        &format!("it has no {kind} endpoint, which the setting `gkeEndpoint` asks for"),
    );
    failure.owner = Owner::Operator;
    failure.with_help("set `gkeEndpoint` to `auto`, or enable that endpoint of the cluster")
}

/// Returns the DER certificates in a base64-encoded PEM text.
fn certificates(authority: &str) -> Option<Vec<Vec<u8>>> {
    let pem = base64::engine::general_purpose::STANDARD
        .decode(authority)
        .ok()?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem)
        .map(|read| read.map(|certificate| certificate.to_vec()))
        .collect();
    certificates.ok().filter(|found| !found.is_empty())
}

#[cfg(test)]
mod tests;
