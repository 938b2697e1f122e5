//! The runner's own log: which option sets which level, where it is written, and that it never
//! contains a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use sidestep_test_harness::{Port, serve};

use crate::attacks::harness::guest;
use crate::clients::exports;
use crate::setup::Setup;

const QUICKSTART: &str = include_str!("../../runner/sidestep/src/commands/quickstart.yaml");
const COOKIE: &str = "c00kie-of-a-front-end";
const CLUSTER_TOKEN: &str = "t0ken-of-a-kubeconfig";
/// The signature of the URLs to which a registry redirects.
const SIGNATURE: &str = "5eed0fa51gnature";

fn log(setup: &Setup) -> String {
    fs::read_to_string(setup.folder().join("log")).unwrap()
}

#[test]
fn without_being_asked_for_nothing_is_logged() {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", QUICKSTART);
    let file = [
        ("SIDESTEP_LOG_FILE", "../log"),
        ("SIDESTEP_LOG_FORMAT", "json"),
    ];
    let mut command = setup.command(&["validate", "-vv"]);
    let output = command.envs(file).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(!setup.folder().join("log").exists());
}

#[test]
fn three_v_log_to_standard_error_and_a_variable_to_a_file_of_the_owner_s() {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", QUICKSTART);
    let output = setup.run(&["validate", "-vvv"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("DEBUG sidestep_launch::prepare: a plan is ready file=\"sidestep.yaml\""),
        "{stderr}"
    );
    let variables = [
        ("SIDESTEP_LOG", "debug"),
        ("SIDESTEP_LOG_FILE", "../log"),
        ("SIDESTEP_LOG_FORMAT", "json"),
    ];
    let mut command = setup.command(&["validate"]);
    let output = command.envs(variables).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let path = setup.folder().join("log");
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let lines: Vec<Value> = log(&setup)
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let ready = lines
        .iter()
        .find(|line| line["fields"]["message"] == "a plan is ready");
    let ready = ready.expect("it is logged");
    assert_eq!(ready["target"], "sidestep_launch::prepare");
    assert_eq!(ready["level"], "DEBUG");
    assert_eq!(ready["fields"]["steps"], 3);
}

#[test]
fn a_log_within_the_packed_folder_is_no_part_of_the_context() {
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", QUICKSTART);
    let listed = setup.run(&["context", "ls", "--output", "json"]).stdout;
    let logged = [
        ("SIDESTEP_LOG", "*=trace"),
        ("SIDESTEP_LOG_FILE", "sidestep.log"),
    ];
    let mut list = setup.command(&["context", "ls", "--output", "json"]);
    assert_eq!(list.envs(logged).output().unwrap().stdout, listed);
    let listed: Value = serde_json::from_slice(&listed).unwrap();

    // The log grows between the two times that a step reads the folder.
    let arguments = ["run", "--sandbox", "--step", "context", "--output", "json"];
    let output = setup.command(&arguments).envs(logged).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(listed["archive"].as_str().unwrap()), "{said}");
    let log = fs::read_to_string(setup.workspace().join("sidestep.log")).unwrap();
    assert!(log.contains("a run is ready to start"));
}

#[test]
fn what_can_t_be_logged_is_a_wrong_setting() {
    let mut setup = Setup::with_application();
    let bashrc = setup.folder().join("bashrc");
    fs::write(&bashrc, "# mine\n").unwrap();
    symlink(&bashrc, setup.workspace().join("sidestep.log")).unwrap();
    for (name, value, said) in [
        (
            "SIDESTEP_LOG",
            "loud",
            "$SIDESTEP_LOG: `loud` is neither a level",
        ),
        (
            "SIDESTEP_LOG_FORMAT",
            "xml",
            "$SIDESTEP_LOG_FORMAT: `xml` is neither",
        ),
        (
            "SIDESTEP_LOG_FILE",
            "none/log",
            "$SIDESTEP_LOG_FILE: the log",
        ),
        (
            "SIDESTEP_LOG_FILE",
            "sidestep.log",
            "$SIDESTEP_LOG_FILE: `sidestep.log` is a link in the workspace",
        ),
    ] {
        let mut command = setup.command(&["validate", "-vvv"]);
        let output = command.env(name, value).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    assert_eq!(fs::read_to_string(bashrc).unwrap(), "# mine\n");
}

/// State that all taps share.
#[derive(Default)]
struct Taps {
    /// Tokens, upload sessions and cookies that passed through.
    secrets: Mutex<BTreeSet<String>>,
    /// The calls that were refused once.
    stumbled: Mutex<BTreeSet<String>>,
    denied: AtomicUsize,
    /// The number of upload sessions.
    sessions: AtomicUsize,
    /// The blobs that a signed URL returns, by its path.
    signed: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Taps {
    /// Returns a proxy for `upstream` that refuses the first call of each kind with 503, and all
    /// calls with 401 if `deny` says so.
    async fn before(self: &Arc<Self>, upstream: String, deny: bool) -> String {
        let taps = Arc::clone(self);
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let port = Port::free().await;
        let here = port.url();
        let own = here.clone();
        let pass = move |request: Request| {
            let (taps, client) = (Arc::clone(&taps), client.clone());
            let (upstream, own) = (upstream.clone(), own.clone());
            async move { taps.pass(request, &client, (&upstream, &own), deny).await }
        };
        port.serve(Router::new().fallback(pass));
        here
    }

    async fn pass(
        &self,
        request: Request,
        client: &reqwest::Client,
        (upstream, own): (&str, &str),
        deny: bool,
    ) -> Response {
        let (mut parts, body) = request.into_parts();
        let body = to_bytes(body, 1 << 26).await.unwrap();
        self.note(&body);
        let bearer = parts.headers.get(header::AUTHORIZATION);
        let token = bearer.and_then(|value| value.to_str().ok()?.split(' ').nth(1));
        let token = token.unwrap_or_default().to_owned();
        self.keep(&token);
        let kind = format!("{} {}", parts.method, parts.uri.path());
        if deny && !token.is_empty() {
            self.denied.fetch_add(1, Ordering::Relaxed);
            return refusal(StatusCode::UNAUTHORIZED, &token);
        }
        if self.stumbled.lock().unwrap().insert(format!("{own}{kind}")) {
            return refusal(StatusCode::SERVICE_UNAVAILABLE, &token);
        }
        if let Some(blob) = self.signed.lock().unwrap().get(parts.uri.path()) {
            return blob.clone().into_response();
        }
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        parts.headers.remove(header::HOST);
        let answer = client
            .request(parts.method, format!("{upstream}{}", parts.uri))
            .headers(parts.headers)
            .body(body)
            .send()
            .await
            .unwrap();
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        if let Some(session) = headers.get(header::LOCATION) {
            let session = session.to_str().unwrap().replace(upstream, own);
            let id = session.split("upload_id=").nth(1).unwrap_or_default();
            self.keep(id.split('&').next().unwrap_or_default());
            self.sessions.fetch_add(1, Ordering::Relaxed);
            headers.insert(header::LOCATION, session.parse().unwrap());
        }
        headers.remove(header::TRANSFER_ENCODING);
        let bytes = answer.bytes().await.unwrap();
        self.note(&bytes);
        // As Google's registries do, which keep their blobs in Cloud Storage.
        if method == Method::GET && path.contains("/blobs/sha256:") && status.is_success() {
            let blob = format!("/signed{path}");
            let url = format!(
                "{own}{blob}?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Signature={SIGNATURE}&X-Goog-Expires=60"
            );
            self.signed.lock().unwrap().insert(blob, bytes.to_vec());
            return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, url)]).into_response();
        }
        (status, headers, Body::from(bytes)).into_response()
    }

    /// Records the tokens of a body.
    fn note(&self, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        for name in ["subject_token", "access_token", "accessToken", "token"] {
            self.keep(body[name].as_str().unwrap_or_default());
        }
        self.keep(body["status"]["token"].as_str().unwrap_or_default());
        self.keep(body["payload"]["data"].as_str().unwrap_or_default());
    }

    fn keep(&self, secret: &str) {
        if secret.len() > 8 {
            self.secrets.lock().unwrap().insert(secret.to_owned());
        }
    }
}

/// Returns an error that quotes the caller's token, as a careless front end does.
fn refusal(status: StatusCode, token: &str) -> Response {
    let code = status.as_u16();
    let message = format!("not now, {token}");
    let error =
        json!({"error": {"code": code, "message": message}, "message": message, "code": code});
    let headers = [
        (header::SET_COOKIE, format!("front={COOKIE}; Path=/")),
        (header::RETRY_AFTER, "0".to_owned()),
        (
            header::WWW_AUTHENTICATE,
            "Bearer realm=\"https://accounts.google.com/\"".to_owned(),
        ),
    ];
    (status, headers, axum::Json(error)).into_response()
}

/// Returns the variables for the most verbose log of every crate.
fn loudest(format: &str) -> [(&str, &str); 3] {
    [
        ("SIDESTEP_LOG", "*=trace"),
        ("SIDESTEP_LOG_FILE", "../log"),
        ("SIDESTEP_LOG_FORMAT", format),
    ]
}

fn holds_no_secret(taps: &Taps, log: &str) {
    let secrets = taps.secrets.lock().unwrap();
    for secret in secrets
        .iter()
        .map(String::as_str)
        .chain([COOKIE, CLUSTER_TOKEN, SIGNATURE])
    {
        for line in log.lines() {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}

/// Returns the variables, with a proxy before each service of the sandbox.
fn tapped(
    runtime: &tokio::runtime::Runtime,
    taps: &Arc<Taps>,
    exports: &[(String, String)],
    deny: bool,
) -> Vec<(String, String)> {
    let tap = |(name, value): &(String, String)| {
        let behind = name.starts_with("SIDESTEP_ENDPOINT_");
        let value = if behind {
            runtime.block_on(taps.before(value.clone(), deny))
        } else {
            value.clone()
        };
        (name.clone(), value)
    };
    exports.iter().map(tap).collect()
}

/// Returns a text that hardly compresses (xorshift64).
fn noise(length: usize, mut state: u64) -> String {
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b' ' + (state >> 33) as u8 % 95)
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn no_token_session_or_cookie_is_in_the_loudest_log_when_clients_are_refused_and_try_again() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", QUICKSTART);
    assert_eq!(setup.events(&["run", "--sandbox"]).0, 0);
    let exports = exports(&mut setup, "healthy");
    for (deny, format, exit) in [(false, "text", 0), (true, "json", 4)] {
        // A different context is uploaded again, in a session because it is large.
        setup.write("hello.txt", &noise(24 << 20, u64::from(deny) + 1));
        let _ = fs::remove_file(setup.folder().join("log"));
        let taps = Arc::new(Taps::default());
        let tapped = tapped(&runtime, &taps, &exports, deny);
        let mut command = setup.command(&["run", "--output", "json"]);
        let output = command.envs(tapped).envs(loudest(format)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(exit), "{said}");
        let log = log(&setup);
        for library in ["hyper_util", "rustls", "reqwest"] {
            assert!(log.contains(library), "{library} says nothing");
        }
        holds_no_secret(&taps, &log);
        if deny {
            assert!(taps.denied.load(Ordering::Relaxed) >= 3);
            continue;
        }
        // The text that a front end quotes is logged without the token.
        assert!(
            log.contains("retrying a call to Google"),
            "{} lines",
            log.lines().count()
        );
        assert!(
            log.contains("not now, ***"),
            "{} lines",
            log.lines().count()
        );
        let stumbled = taps.stumbled.lock().unwrap().clone();
        for call in [
            "identitybindingtoken",
            "/services/",
            "testPermissions",
            "POST /upload/storage",
            "PUT /upload/storage",
            "getIamPolicy",
        ] {
            let called = |kind: &String| kind.contains(call);
            assert!(stumbled.iter().any(called), "no {call} in {stumbled:?}");
        }
        assert!(taps.sessions.load(Ordering::Relaxed) > 0, "{stumbled:?}");
    }
}

const PULL: &str = "version: 1
name: pull
steps:
  pull:
    uses: ./attacker.wasm
    with: { act: clients.config, texts: [IMAGE:latest], registry: [{ repository: IMAGE }] }
    grants: { registry: [{ repository: IMAGE }] }
    retry: { attempts: 3, on: [unavailable], delay: 1s }
";
const SECRET: &str =
    "secrets: { greeting: { secretManager: projects/demo/secrets/greeting/versions/latest } }\n";

#[test]
fn no_token_secret_or_signed_url_is_in_the_loudest_log_of_a_pull() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut setup = Setup::with_application();
    setup.write("sidestep.yaml", QUICKSTART);
    assert_eq!(setup.events(&["run", "--sandbox"]).0, 0);
    let exports = exports(&mut setup, "healthy");
    fs::copy(guest(), setup.workspace().join("attacker.wasm")).unwrap();
    let pull = PULL.replace("IMAGE", "europe-docker.pkg.dev/demo/images/quickstart");
    let with_secret = pull.replace("steps:", &format!("{SECRET}steps:"));
    for (pipeline, deny, format, exit) in [
        (&with_secret, false, "text", 0),
        (&with_secret, true, "json", 4),
        (&pull, true, "text", 4),
    ] {
        setup.write("pull.yaml", pipeline);
        let _ = fs::remove_file(setup.folder().join("log"));
        let taps = Arc::new(Taps::default());
        let tapped = tapped(&runtime, &taps, &exports, deny);
        let mut command = setup.command(&["run", "pull.yaml", "--output", "json"]);
        let output = command.envs(tapped).envs(loudest(format)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{said}{told}");
        let log = log(&setup);
        assert!(log.contains("hyper_util"), "{} lines", log.lines().count());
        holds_no_secret(&taps, &log);
        for said in [&said, &told] {
            assert!(!said.contains(SIGNATURE), "{said}");
        }
        if deny {
            assert!(taps.denied.load(Ordering::Relaxed) > 0);
            continue;
        }
        let stumbled = taps.stumbled.lock().unwrap().clone();
        for call in [
            "secrets/greeting/versions/latest:access",
            "/manifests/latest",
            "GET /v2/europe-docker.pkg.dev/demo/images/quickstart/blobs/sha256:",
            "GET /signed/v2/",
        ] {
            let called = |kind: &String| kind.contains(call);
            assert!(stumbled.iter().any(called), "no {call} in {stumbled:?}");
        }
        assert!(!taps.signed.lock().unwrap().is_empty());
    }
}

#[test]
fn no_token_or_cookie_of_an_api_server_that_refuses_is_in_the_loudest_log() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let refuse = move |request: Request| {
        let call = counted.fetch_add(1, Ordering::Relaxed);
        let bearer = request.headers().get(header::AUTHORIZATION).cloned();
        async move {
            let bearer = bearer.expect("it is sent");
            assert_eq!(bearer.to_str().unwrap(), format!("Bearer {CLUSTER_TOKEN}"));
            refusal(
                match call {
                    0 => StatusCode::INTERNAL_SERVER_ERROR,
                    1 => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::UNAUTHORIZED,
                },
                CLUSTER_TOKEN,
            )
        }
    };
    let address = runtime.block_on(serve(Router::new().fallback(refuse)));
    let mut setup = Setup::new();
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": {"token": CLUSTER_TOKEN}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    setup.write("kubeconfig", &kubeconfig.to_string());
    let config = setup.folder().join("config/sidestep");
    fs::create_dir_all(&config).unwrap();
    fs::write(
        config.join("config.yaml"),
        "clusters: { far: { context: c } }\n",
    )
    .unwrap();
    for format in ["text", "json"] {
        calls.store(0, Ordering::Relaxed);
        let mut command = setup.command(&["gc", "--cluster", "far", "--namespace", "ci"]);
        let kubeconfig = [("KUBECONFIG", "kubeconfig")];
        let output = command
            .envs(kubeconfig)
            .envs(loudest(format))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(calls.load(Ordering::Relaxed) >= 3, "{said}");
        let log = log(&setup);
        assert!(
            log.contains("retrying a request to an API server"),
            "{} lines",
            log.lines().count()
        );
        assert!(log.contains("kube_client"), "{} lines", log.lines().count());
        assert!(
            log.contains("not now, ***"),
            "{} lines",
            log.lines().count()
        );
        holds_no_secret(&Taps::default(), &log);
    }
}
