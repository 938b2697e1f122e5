use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::{any, get};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_bindings::sidestep::identity::prove::Host as _;
use sidestep_events::{Event, Foreign};
use sidestep_gate_testing::Record;
use sidestep_google::{Credentials, Endpoints};
use sidestep_policy::Capability as Key;

use sidestep_test_harness::serve;

use super::sandbox::{Prover, TestSandbox, anything, identity};
use crate::Variables;

/// Returns a step with these credentials and this environment.
fn prover(credentials: Credentials, variables: &[(&str, &str)]) -> Prover {
    let variables: Variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let identity = identity(&Endpoints::default(), Arc::new(credentials), variables);
    Prover::new(identity, &[(Key::Identity, anything())])
}

async fn caller(prover: &mut Prover) -> wit::Caller {
    prover.state.who_am_i().await.expect("it is known")
}

#[tokio::test]
async fn the_sandbox_s_developer_is_named() {
    let place = TestSandbox::new("healthy").await;
    let caller = caller(&mut place.prover()).await;
    assert_eq!(caller.source, "external_account");
    assert_eq!(caller.principal.as_deref(), Some("dev@example.com"));
    let location = place.files.credentials().display().to_string();
    assert_eq!(caller.location, Some(location));
    assert_eq!(caller.claims, None);
}

#[tokio::test]
async fn the_metadata_server_says_whose_its_tokens_are() {
    let metadata = "/computeMetadata/v1";
    let flavour = [("Metadata-Flavor", "Google")];
    let url = serve(
        Router::new()
            .route(
                &format!("{metadata}/instance/service-accounts/default/email"),
                get(move || async move { (flavour, "ci@demo.iam.gserviceaccount.com\n") }),
            )
            .route(
                &format!("{metadata}/project/project-id"),
                get(move || async move { (flavour, "demo") }),
            ),
    )
    .await;
    let host = url.trim_start_matches("http://");
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path().display().to_string();
    let mut with_it = prover(
        Credentials::default(),
        &[("GCE_METADATA_HOST", host), ("HOME", &home)],
    );
    let found = caller(&mut with_it).await;
    assert_eq!(found.source, "metadata");
    assert_eq!(
        found.principal.as_deref(),
        Some("ci@demo.iam.gserviceaccount.com")
    );
    assert_eq!(found.project.as_deref(), Some("demo"));

    let page = serve(Router::new().fallback(any(|| async { "sign in" }))).await;
    let page = page.trim_start_matches("http://").to_owned();
    let mut without = prover(
        Credentials::default(),
        &[("GCE_METADATA_HOST", &page), ("HOME", &home)],
    );
    let found = caller(&mut without).await;
    assert_eq!((&*found.source, found.principal), ("anonymous", None));
}

#[tokio::test]
async fn github_s_claims_are_shown_and_its_tokens_are_not() {
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let token = format!(
        "{}.{}.c2lnbmF0dXJl",
        part(json!({"alg": "RS256"})),
        part(json!({"sub": "repo:octo/api:ref:refs/heads/main", "repository": "octo/api"}))
    );
    let issued = token.clone();
    let url = serve(Router::new().fallback(any(move |request: Request| {
        let authorised = request
            .headers()
            .get(header::AUTHORIZATION)
            .is_some_and(|value| value == "Bearer job-bearer");
        let answer = match (authorised, request.uri().query()) {
            (true, Some("api-version=2.0")) => {
                axum::Json(json!({ "value": issued })).into_response()
            }
            _ => StatusCode::FORBIDDEN.into_response(),
        };
        async { answer }
    })))
    .await;
    let url = format!("{url}/token?api-version=2.0");
    let variables = |bearer| {
        [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", bearer),
        ]
    };
    let mut good = prover(Credentials::anonymous(), &variables("job-bearer"));
    let found = caller(&mut good).await;
    let claims: serde_json::Value =
        serde_json::from_str(&found.claims.clone().expect("claims")).expect("JSON");
    assert_eq!(claims["repository"], "octo/api");
    let out = format!(
        "{found:?} {:?} {:?}",
        good.kept.records(),
        good.state.services
    );
    for secret in [token.as_str(), "job-bearer"] {
        assert!(!out.contains(secret), "{out}");
        assert!(good.state.step.masks.found_in(secret));
    }

    let mut bad = prover(Credentials::anonymous(), &variables("another"));
    assert_eq!(caller(&mut bad).await.claims, None);
    let warned = bad.kept.records().iter().any(|record| {
        matches!(record, Record::Event(Event::Warning(warning))
            if warning.code == "identity.no-id-token" && warning.message.ends_with("HTTP 403"))
    });
    assert!(warned, "{:?}", bad.kept.records());
}

#[tokio::test]
async fn a_step_that_may_prove_nothing_is_not_told() {
    let identity = identity(
        &Endpoints::default(),
        Arc::new(Credentials::anonymous()),
        Variables::default(),
    );
    let mut prover = Prover::new(identity, &[(Key::Identity, json!([]))]);
    assert!(prover.state.who_am_i().await.is_err());
    let calls = prover.kept.calls();
    assert_eq!(
        calls[0].code.as_ref().map(Foreign::exact),
        Some("grant.missing")
    );
}

#[tokio::test]
async fn a_provider_s_decision_is_evaluated_from_the_claims() {
    let identity = identity(
        &Endpoints::default(),
        Arc::new(Credentials::anonymous()),
        Variables::default(),
    );
    let mut prover = Prover::new(identity, &[(Key::Identity, anything())]);
    let mapping = |attribute: &str, expression: &str| wit::Mapping {
        attribute: attribute.to_owned(),
        expression: expression.to_owned(),
    };
    let mappings = vec![
        mapping("google.subject", "assertion.sub"),
        mapping("attribute.environment", "assertion.environment"),
    ];
    let claims = json!({ "sub": "repo:acme/app", "ref": "refs/heads/x" }).to_string();
    let condition = "assertion.sub != '' && assertion.ref == 'refs/heads/main'";
    let found = prover
        .state
        .federate(claims, mappings, Some(condition.to_owned()))
        .await
        .expect("it is evaluated");
    let values: Vec<_> = found
        .attributes
        .iter()
        .map(|one| one.value.as_deref())
        .collect();
    assert_eq!(values, [Some("repo:acme/app"), None]);
    let truths: Vec<_> = found.condition.iter().map(|part| part.truth).collect();
    assert_eq!(truths, [wit::Truth::Yes, wit::Truth::No]);
    assert_eq!(
        found.condition[1].read[0].value.as_deref(),
        Some("refs/heads/x")
    );
    for wrong in ["3", "{", ""] {
        let refused = prover
            .state
            .federate(wrong.to_owned(), Vec::new(), None)
            .await;
        assert!(refused.is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn conditions_of_policies_have_three_values() {
    let place = TestSandbox::new("healthy").await;
    let mut prover = place.prover();
    // 2026-01-01T00:00:00Z
    let attributes = wit::Attributes {
        time: 1_767_225_600_000,
        name: None,
        service: Some("storage.googleapis.com".to_owned()),
        kind: Some("storage.googleapis.com/Object".to_owned()),
    };
    let conditions = [
        "request.time.getHours('Europe/Berlin') == 1",
        "resource.service != 'storage.googleapis.com'",
        "resource.name.startsWith('projects/_/buckets/b/')",
        "resource.matchTag('1/env', 'prod')",
        "1 +",
    ];
    let conditions = conditions.map(str::to_owned).into();
    let found = prover.state.decide(conditions, attributes).await;
    let found = found.expect("they are decided");
    let truths: Vec<_> = found.iter().map(|one| one.truth).collect();
    let unknown = wit::Truth::Unknown;
    assert_eq!(
        truths,
        [wit::Truth::Yes, wit::Truth::No, unknown, unknown, unknown]
    );
    assert_eq!(found[2].why.as_deref(), Some("there is no `name`"));
    assert!(found[0].why.is_none() && found[3].why.is_some());
}
