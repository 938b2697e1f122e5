//! No token appears in any data that leaves the host.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use sidestep_bindings::sidestep::identity::prove::{Link, PolicyResource};
use sidestep_google::Service;
use sidestep_policy::Capability as Key;

use sidestep_test_harness::serve;

use super::sandbox::{BUILDER, Prover, REPOSITORY, TestSandbox, anything, broken, subject, target};

/// The tokens that were transferred.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn note(&self, body: &Value) {
        let tokens = ["subject_token", "access_token", "accessToken"]
            .iter()
            .filter_map(|key| body[key].as_str())
            .map(str::to_owned);
        self.0.lock().expect("not poisoned").extend(tokens);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().expect("not poisoned").clone()
    }

    /// Returns a proxy that forwards everything to `upstream` and records the tokens.
    async fn before(&self, upstream: Option<String>) -> String {
        let (seen, upstream) = (self.clone(), upstream.expect("it has an address"));
        let pass = move |request: Request| {
            let (seen, upstream) = (seen.clone(), upstream.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
                seen.note(&serde_json::from_slice(&body).unwrap_or_default());
                let mut onward = reqwest::Client::new()
                    .request(parts.method, format!("{upstream}{}", parts.uri))
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(body);
                if let Some(bearer) = parts.headers.get(header::AUTHORIZATION) {
                    onward = onward.header(header::AUTHORIZATION, bearer);
                }
                let answer = onward.send().await.expect("it answers");
                let status = answer.status();
                let body = answer.bytes().await.expect("a body");
                seen.note(&serde_json::from_slice(&body).unwrap_or_default());
                (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
            }
        };
        serve(Router::new().fallback(pass)).await
    }
}

#[tokio::test]
async fn no_token_is_in_an_answer_an_event_or_a_debug_output() {
    let seen = Seen::default();
    let mut place = TestSandbox::new("healthy").await;
    for service in [Service::SecureToken, Service::IamCredentials] {
        let tap = seen.before(place.endpoints.url(service)).await;
        place = place.moved(service, &tap);
    }
    let mut prover = place.prover();
    let mut subject = subject("kaniko", Some(BUILDER));
    subject.targets = vec![target(
        PolicyResource::Repository(REPOSITORY.into()),
        &["artifactregistry.repositories.uploadArtifacts"],
    )];
    let proof = prover.proof(subject).await;
    assert!(proof.links.iter().all(|link| link.failure.is_none()));
    let tokens = seen.all();
    assert_eq!(
        tokens.len(),
        3,
        "the cluster's, the federated, the account's"
    );
    let out = format!(
        "{proof:?} {:?} {:?} {:?}",
        prover.kept.records(),
        prover.state,
        prover.state.services
    );
    for token in &tokens {
        assert!(!out.contains(token.as_str()), "{out}");
    }
}

/// The run's masks have a limit, and every other secret of the run needs them.
#[tokio::test]
async fn a_hundred_proofs_leave_the_masks_as_they_were() {
    let seen = Seen::default();
    let place = TestSandbox::new("healthy").await;
    let exchange = seen.before(place.endpoints.url(Service::SecureToken)).await;
    let place = place.moved(Service::SecureToken, &exchange);
    let mut prover = place.prover();
    for _ in 0..100 {
        let proof = prover.proof(subject("kaniko", Some(BUILDER))).await;
        assert!(proof.links.iter().all(|link| link.failure.is_none()));
    }
    let tokens = seen.all();
    assert_eq!(tokens.len(), 200);
    let masks = &prover.state.step.masks;
    assert!(tokens.iter().all(|token| !masks.found_in(token)));
}

#[tokio::test]
async fn a_server_that_repeats_the_tokens_is_masked() {
    let seen = Seen::default();
    let place = TestSandbox::new("healthy").await;
    let exchange = seen.before(place.endpoints.url(Service::SecureToken)).await;
    let repeat = |request: Request| async move {
        let bearer = request.headers().get(header::AUTHORIZATION).cloned();
        let bearer = bearer
            .expect("it is sent")
            .to_str()
            .expect("text")
            .to_owned();
        let token = bearer.trim_start_matches("Bearer ").to_owned();
        let error = json!({"error": {
            "code": 403, "status": "PERMISSION_DENIED", "message": format!("no, not with {token}"),
            "details": [{"reason": "IAM_PERMISSION_DENIED", "metadata": {"permission": token, token: "x"}}],
        }});
        let answer: Response = (StatusCode::FORBIDDEN, axum::Json(error)).into_response();
        answer
    };
    let repeat = serve(Router::new().fallback(repeat)).await;
    let place = place
        .moved(Service::SecureToken, &exchange)
        .moved(Service::IamCredentials, &repeat);
    let mut prover = Prover::new(place.identity(), &[(Key::Identity, anything())]);
    let proof = prover.proof(subject("kaniko", Some(BUILDER))).await;
    let (link, failure) = broken(&proof);
    assert_eq!(link, Link::Impersonate);
    assert!(failure.message.ends_with("no, not with ***"), "{failure:?}");
    let out = format!("{proof:?} {:?}", prover.kept.records());
    for token in seen.all() {
        assert!(!out.contains(&token), "{out}");
    }
}
