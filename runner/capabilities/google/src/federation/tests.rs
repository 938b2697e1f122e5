use std::sync::Mutex as Lock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap as Headers, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sidestep_test_harness::serve;

use super::*;

const START: u64 = 1_780_000_000;
const PROVIDER: &str = "projects/1/locations/global/workloadIdentityPools/jobs/providers/github";
const ACCOUNT: &str = "ci@demo.iam.gserviceaccount.com";

/// A CI system and Google's side of the exchange, at a time that the test moves.
#[derive(Default)]
struct World {
    seconds: AtomicU64,
    /// How far the job's clock is ahead of the CI's and Google's, in seconds.
    ahead: AtomicU64,
    /// The requests so far, by their kind.
    asked: Lock<Vec<&'static str>>,
    /// The kinds of requests that are answered with 503.
    down: Lock<Vec<&'static str>>,
    /// Whether the STS never answers.
    silent: Lock<bool>,
    /// The start of tokio's clock, whose time is added.
    started: Option<tokio::time::Instant>,
}

impl World {
    fn now(&self) -> u64 {
        let elapsed = self
            .started
            .map_or(0, |started| started.elapsed().as_secs());
        START + self.seconds.load(Ordering::Relaxed) + elapsed
    }

    fn count(&self, kind: &str) -> usize {
        let asked = self.asked.lock().expect("a test");
        asked.iter().filter(|asked| **asked == kind).count()
    }

    /// Records a request. Returns whether it is answered.
    fn note(&self, kind: &'static str) -> bool {
        self.asked.lock().expect("a test").push(kind);
        !self.down.lock().expect("a test").contains(&kind)
    }
}

fn jwt(issued: u64, life: u64) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "iss": "https://gitlab.example", "aud": format!("https://iam.googleapis.com/{PROVIDER}"),
        "iat": issued, "exp": issued + life,
    });
    format!(
        "{}.{}.c2lnbmF0dXJl",
        part(&json!({"alg": "RS256"})),
        part(&claims)
    )
}

/// Answers as the STS: a token lasts an hour, but no longer than the subject token.
async fn sts(State(world): State<Arc<World>>, body: String) -> Response {
    if !world.note("sts") {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if *world.silent.lock().expect("a test") {
        std::future::pending::<()>().await;
    }
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let token = body["subjectToken"].as_str().expect("a token");
    let claims = token.split('.').nth(1).expect("a JWT");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    let left = claims["exp"]
        .as_u64()
        .expect("a time")
        .saturating_sub(world.now());
    if left == 0 {
        let stale = json!({"error": "invalid_grant", "error_description": "stale"});
        return (StatusCode::BAD_REQUEST, axum::Json(stale)).into_response();
    }
    let number = world.count("sts");
    axum::Json(json!({
        "access_token": format!("federated-token-{number}"), "expires_in": left.min(3600),
    }))
    .into_response()
}

async fn account(State(world): State<Arc<World>>, headers: Headers) -> Response {
    world.note("account");
    let sent = headers["authorization"].to_str().expect("text");
    assert!(sent.starts_with("Bearer federated-token-"), "{sent}");
    let number = world.count("account");
    axum::Json(json!({ "accessToken": format!("account-token-{number}") })).into_response()
}

async fn github(
    State(world): State<Arc<World>>,
    Query(query): Query<std::collections::BTreeMap<String, String>>,
) -> Response {
    if !world.note("github") {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    assert_eq!(
        query["audience"],
        format!("https://iam.googleapis.com/{PROVIDER}")
    );
    axum::Json(json!({ "value": jwt(world.now(), 300) })).into_response()
}

async fn buildkite(State(world): State<Arc<World>>, headers: Headers, body: String) -> Response {
    world.note("buildkite");
    assert_eq!(headers["authorization"], "Token agent-secret");
    assert!(body.contains(PROVIDER), "{body}");
    axum::Json(json!({ "token": jwt(world.now(), 300) })).into_response()
}

async fn served(world: &Arc<World>) -> String {
    let account_path = format!("/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken");
    serve(
        Router::new()
            .route("/v1/token", post(sts))
            .route(&account_path, post(account))
            .route("/github", get(github))
            .route("/v3/jobs/job-1/oidc/tokens", post(buildkite))
            .with_state(Arc::clone(world)),
    )
    .await
}

/// Returns the credentials of a job with these variables.
fn job(world: &Arc<World>, url: &str, account: bool, variables: &[(&str, &str)]) -> Credentials {
    let mut endpoints = Endpoints::default();
    for service in [Service::Sts, Service::IamCredentials] {
        endpoints.set(service, url.parse().expect("a URL"));
    }
    let identity = JobIdentity {
        provider: PROVIDER.to_owned(),
        service_account: account.then(|| ACCOUNT.to_owned()),
    };
    let owned = |text: &&str| (*text).to_owned();
    let variables = variables
        .iter()
        .map(|(name, value)| (owned(name), owned(value)));
    let seconds = Arc::clone(world);
    let clock = Clock::from_fn(move || {
        let shown = seconds.now() + seconds.ahead.load(Ordering::Relaxed);
        UNIX_EPOCH + Duration::from_secs(shown)
    });
    Credentials::of_job(Federation::new(
        identity,
        variables.collect(),
        Arc::new(endpoints),
        Arc::new(Masks::new()),
        clock,
    ))
}

async fn used(credentials: &Credentials) -> Result<String, Failure> {
    let headers = credentials.headers().await?;
    Ok(headers["authorization"].to_str().expect("text").to_owned())
}

/// Uses credentials every 30 seconds for some time; returns the failure of the first request that
/// has one, and when it was.
async fn run_for(
    world: &World,
    credentials: &Credentials,
    minutes: u64,
) -> Result<(), (u64, Failure)> {
    for _ in 0..minutes * 2 {
        if let Err(failure) = used(credentials).await {
            return Err((world.seconds.load(Ordering::Relaxed), failure));
        }
        world.seconds.fetch_add(30, Ordering::Relaxed);
    }
    Ok(())
}

fn of_github(url: &str) -> [(String, String); 2] {
    [
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL".to_owned(),
            format!("{url}/github?x=1"),
        ),
        (
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN".to_owned(),
            "request-secret".to_owned(),
        ),
    ]
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect()
}

#[tokio::test]
async fn a_run_of_two_hours_asks_github_for_a_token_at_each_renewal() {
    let world = Arc::new(World::default());
    let url = served(&world).await;
    let variables = of_github(&url);
    let direct = job(&world, &url, false, &borrowed(&variables));
    run_for(&world, &direct, 120).await.expect("it lasts");
    // A token of five minutes is renewed after four.
    assert_eq!((world.count("github"), world.count("sts")), (30, 30));
    assert_eq!(world.count("account"), 0);

    let world = Arc::new(World::default());
    let url = served(&world).await;
    let variables = of_github(&url);
    let acting = job(&world, &url, true, &borrowed(&variables));
    run_for(&world, &acting, 120).await.expect("it lasts");
    // A service account's token lasts an hour, whatever it was made of.
    assert_eq!((world.count("github"), world.count("account")), (3, 3));
    assert_eq!(used(&acting).await.expect("one"), "Bearer account-token-3");
}

#[tokio::test]
async fn a_token_issued_just_now_has_not_expired_by_a_fast_clock() {
    let world = Arc::new(World::default());
    world.ahead.store(3600, Ordering::Relaxed);
    let url = served(&world).await;
    let variables = of_github(&url);
    let credentials = job(&world, &url, false, &borrowed(&variables));
    run_for(&world, &credentials, 20).await.expect("it lasts");
    assert_eq!((world.count("github"), world.count("sts")), (5, 5));
}

#[tokio::test]
async fn gitlab_s_token_lasts_as_long_as_the_job_may_run() {
    for (life, account, end) in [
        (3 * 3600, false, None),
        (3 * 3600, true, None),
        // Its token is valid for an hour, and the account's, of the 55th minute, for one more.
        (3600, true, Some(115 * 60)),
        (3600, false, Some(3600)),
    ] {
        let world = Arc::new(World::default());
        let url = served(&world).await;
        let token = jwt(START, life);
        let variables = [
            ("CI_SERVER_URL", "https://gitlab.example"),
            ("GOOGLE_TOKEN", token.as_str()),
        ];
        let credentials = job(&world, &url, account, &variables);
        let lasted = run_for(&world, &credentials, 120).await;
        match (lasted, end) {
            (Ok(()), None) => {}
            (Err((at, failure)), Some(end)) => {
                assert!(at.abs_diff(end) <= 30, "{at} {failure}");
                assert_eq!(failure.code, "identity.id-token-expired");
                assert!(
                    failure
                        .message
                        .contains("https://gitlab.example gives a job only one")
                );
                assert!(!format!("{failure:?}").contains(&token), "{failure:?}");
            }
            (lasted, _) => panic!("{life} {account}: {lasted:?}"),
        }
    }
}

#[tokio::test]
async fn buildkite_gives_a_token_to_whom_its_agent_gives_one() {
    let world = Arc::new(World::default());
    let url = served(&world).await;
    let agent = format!("{url}/v3");
    let variables = [
        ("BUILDKITE_AGENT_ENDPOINT", agent.as_str()),
        ("BUILDKITE_AGENT_ACCESS_TOKEN", "agent-secret"),
        ("BUILDKITE_JOB_ID", "job-1"),
    ];
    let credentials = job(&world, &url, false, &variables);
    assert_eq!(
        used(&credentials).await.expect("one"),
        "Bearer federated-token-1"
    );
    assert_eq!(world.count("buildkite"), 1);
}

#[tokio::test]
async fn requests_at_once_wait_for_one_exchange() {
    let world = Arc::new(World::default());
    let url = served(&world).await;
    let variables = of_github(&url);
    let credentials = job(&world, &url, true, &borrowed(&variables));
    let all = futures::future::join_all((0..20).map(|_| used(&credentials))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!((world.count("github"), world.count("sts")), (1, 1));
}

#[tokio::test]
async fn a_token_that_lasts_outlives_an_outage_of_the_exchange() {
    let world = Arc::new(World::default());
    let url = served(&world).await;
    let token = jwt(START, 3 * 3600);
    let variables = [
        ("CI_SERVER_URL", "https://gitlab.example"),
        ("GOOGLE_TOKEN", token.as_str()),
    ];
    let mut credentials = job(&world, &url, false, &variables);
    used(&credentials).await.expect("one");
    world.down.lock().expect("a test").push("sts");
    world.seconds.store(3500, Ordering::Relaxed);
    let unavailable = used(&credentials).await;
    assert_eq!(
        unavailable.expect("the old one"),
        "Bearer federated-token-1"
    );
    credentials = job(&world, &url, false, &[]);
    let failure = used(&credentials).await.expect_err("none is offered");
    assert_eq!(failure.code, "identity.no-id-token");
}

#[tokio::test]
async fn a_token_that_lasts_outlives_an_outage_of_the_ci() {
    let world = Arc::new(World::default());
    let url = served(&world).await;
    let credentials = job(&world, &url, false, &borrowed(&of_github(&url)));
    used(&credentials).await.expect("one");
    world.down.lock().expect("a test").push("github");
    // It lasts for 300 s, is renewed from the 240th on, and at most each 30 s.
    world.seconds.store(250, Ordering::Relaxed);
    for _ in 0..20 {
        let held = used(&credentials).await.expect("the old one");
        assert_eq!(held, "Bearer federated-token-1");
    }
    assert_eq!(world.count("github"), 2);
    world.seconds.store(300, Ordering::Relaxed);
    let failure = used(&credentials).await.expect_err("it has expired");
    assert_eq!(failure.code, "identity.no-id-token");
    assert_eq!(failure.class, Class::Unavailable);
    world.down.lock().expect("a test").clear();
    used(&credentials).await.expect("a new one");
}

/// Makes requests at once, and returns how many seconds they take.
async fn at_once(credentials: &Credentials) -> (u64, Vec<Result<String, Failure>>) {
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let all = futures::future::join_all((0..20).map(|_| used(credentials))).await;
    let taken = began.elapsed().as_secs();
    tokio::time::resume();
    (taken, all)
}

#[tokio::test]
async fn an_outage_of_the_exchange_delays_one_request() {
    let world = Arc::new(World {
        started: Some(tokio::time::Instant::now()),
        ..World::default()
    });
    let url = served(&world).await;
    let token = jwt(START, 3 * 3600);
    let variables = [
        ("CI_SERVER_URL", "https://gitlab.example"),
        ("GOOGLE_TOKEN", token.as_str()),
    ];
    let credentials = job(&world, &url, false, &variables);
    *world.silent.lock().expect("a test") = true;
    // Without a token, all of them share one failure.
    let (seconds, all) = at_once(&credentials).await;
    assert!(seconds <= 25, "{seconds}");
    for failure in all.iter().map(|one| one.as_ref().expect_err("no token")) {
        assert_eq!(failure.class, Class::Unavailable, "{failure}");
    }
    // With one that is about to expire, all of them use it, and the next does not wait.
    *world.silent.lock().expect("a test") = false;
    used(&credentials).await.expect("one");
    let end = world.now() + 3600;
    *world.silent.lock().expect("a test") = true;
    world.seconds.store(3310, Ordering::Relaxed);
    let (seconds, all) = at_once(&credentials).await;
    assert!(seconds <= 25, "{seconds}");
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    let (seconds, all) = at_once(&credentials).await;
    assert!(seconds == 0 && all.iter().all(Result::is_ok), "{seconds}");
    // A token that expires during the exchange is not used.
    let left = end - world.now();
    world.seconds.fetch_add(left - 5, Ordering::Relaxed);
    let (_, all) = at_once(&credentials).await;
    assert!(all.iter().all(Result::is_err), "{all:?}");
}

#[test]
fn only_a_refusal_is_the_provider_s_or_the_account_s() {
    let body = |reason: &str| {
        json!({ "error": { "code": 403, "message": "no", "status": "PERMISSION_DENIED", "details": [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
            "domain": "googleapis.com",
            "metadata": { "service": "sts.googleapis.com", "consumer": "projects/1" },
        }] } })
        .to_string()
    };
    let identity = JobIdentity {
        provider: PROVIDER.to_owned(),
        service_account: None,
    };
    let of = |reason: &str| crate::of_api_error("x", 403, body(reason).as_bytes());
    let exchanged = |reason: &str| failure::of_exchange(of(reason), "x", &identity);
    let disabled = exchanged("SERVICE_DISABLED");
    assert_eq!(disabled.code, "google.api-disabled");
    assert!(format!("{:?}", disabled.help).contains("services"));
    assert_eq!(exchanged("RATE_LIMIT_EXCEEDED").class, Class::Exhausted);
    let acted = |reason: &str| failure::of_impersonation(of(reason), ACCOUNT);
    assert_eq!(acted("SERVICE_DISABLED").code, "google.api-disabled");
    assert_eq!(acted("IAM_PERMISSION_DENIED").code, "identity.no-token");
    let perimeter = acted("SECURITY_POLICY_VIOLATED");
    assert!(format!("{:?}", perimeter.help).contains("VPC Service Controls"));
    let down = crate::of_api_error("x", 503, br#"{"error": "invalid_request"}"#);
    let down = failure::of_exchange(down, "x", &identity);
    assert_eq!(down.class, Class::Unavailable, "{down}");
}

#[tokio::test]
async fn a_job_without_an_id_token_learns_what_to_add() {
    let world = Arc::new(World::default());
    for (variable, help) in [
        ("GITHUB_ACTIONS", "id-token: write"),
        (
            "GITLAB_CI",
            "id_tokens: { GOOGLE_TOKEN: { aud: https://iam.googleapis.com/projects/1/",
        ),
        ("JENKINS_URL", "GitHub Actions, GitLab CI and Buildkite"),
    ] {
        let credentials = job(&world, "http://127.0.0.1:9", false, &[(variable, "true")]);
        let failure = used(&credentials).await.expect_err("none is offered");
        assert_eq!(failure.class, Class::Denied);
        let helps = format!("{:?}", failure.help);
        assert!(helps.contains(help), "{helps}");
    }
}
