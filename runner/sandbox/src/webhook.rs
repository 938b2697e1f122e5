//! The webhook for API servers without admission policies: at the metadata server's address, which
//! the API server reaches as a process of a node. So it needs no service, no proxy of services and
//! no other port, on a node of the sandbox and behind a relay alike.
//!
//! Every pod of the node reaches it too. It has no state and no secrets: it answers which additions
//! make a pod know Google's names.

use std::io;
use std::net::IpAddr;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use sidestep_sandbox_admission::{Names, Target, Webhook, review};
use sidestep_sandbox_base::names::METADATA_ADDRESS;
use sidestep_sandbox_tls::{Authority, TlsAcceptor};
use tower::ServiceExt as _;

use crate::front::host;
use crate::live::{Places, make_private};

const PATH: &str = "/sidestep-google-names";
/// The maximum size of a request, in bytes: etcd's of an object is 1.5 MiB, and a review has it once
/// if it is new.
const MOST: usize = 4 * 1024 * 1024;

/// The webhook of a sandbox.
pub(crate) struct Hook {
    /// The names that pods get.
    pub(crate) names: Names,
    /// The address at which the API server calls it.
    pub(crate) webhook: Webhook,
    /// Performs the handshakes.
    pub(crate) acceptor: TlsAcceptor,
}

impl Hook {
    /// Returns the webhook for pods that trust an authority. Its own certificate is of another one,
    /// since that of Google's names certifies no address.
    pub(crate) fn open(places: &Places, authority: &Authority) -> io::Result<Self> {
        let folder = places.webhook();
        make_private(&folder).map_err(io::Error::other)?;
        let own = Authority::open(&folder, "sidestep sandbox webhook", &[])?;
        let acceptor = own.acceptor(&[METADATA_ADDRESS], &["h2", "http/1.1"])?;
        let address: IpAddr = METADATA_ADDRESS.parse().map_err(io::Error::other)?;
        Ok(Self {
            names: Names::new(address, authority.pem()),
            webhook: Webhook {
                target: Target::Url(url()),
                authority: own.pem().to_owned(),
            },
            acceptor,
        })
    }

    /// Returns a router that answers the requests to the address itself, and leaves those to names to
    /// another router.
    pub(crate) fn beside(&self, names: Router) -> Router {
        let reviews = Router::new()
            .route(PATH, post(answer))
            .layer(DefaultBodyLimit::max(MOST))
            .with_state(self.names.clone());
        Router::new().fallback(async move |request: Request| {
            let of_address = host(&request) == METADATA_ADDRESS;
            let router = if of_address { reviews } else { names };
            match router.oneshot(request).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            }
        })
    }
}

/// Returns the address at which the API server calls it.
pub(crate) fn url() -> String {
    format!("https://{METADATA_ADDRESS}{PATH}")
}

async fn answer(State(names): State<Names>, Json(asked): Json<Value>) -> Response {
    match review(&asked, &names) {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}
