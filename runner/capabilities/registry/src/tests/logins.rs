//! The credentials for registries that are not Google's.

use std::sync::Mutex;

use axum::extract::{Query, RawForm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sidestep_gate::{Secret, StepState};

use super::*;
use crate::Docker;

const PASSWORD: &str = "correct-horse";
/// What the token service and the registry saw: the path and the credentials.
type Seen = Arc<Mutex<Vec<(&'static str, String)>>>;

fn authorization(headers: &HeaderMap) -> String {
    let value = headers.get("authorization");
    value.map_or_else(String::new, |value| {
        value.to_str().expect("text").to_owned()
    })
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn refusal(challenge: String) -> axum::response::Response {
    let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
    (
        StatusCode::UNAUTHORIZED,
        [("www-authenticate", challenge)],
        body,
    )
        .into_response()
}

/// Serves a registry of this machine that wants a password (`docker-registry` with htpasswd) or a
/// token of its token service. Returns its host.
async fn registry(wants_token: bool) -> (String, Seen) {
    let seen = Seen::default();
    let (of_registry, of_token, of_form) =
        (Arc::clone(&seen), Arc::clone(&seen), Arc::clone(&seen));
    let manifest = move |headers: HeaderMap| {
        let sent = authorization(&headers);
        of_registry
            .lock()
            .expect("no panic")
            .push(("manifest", sent.clone()));
        let host = headers["host"].to_str().expect("text").to_owned();
        async move {
            if wants_token && sent != "Bearer granted" {
                let realm = format!("http://{host}/token");
                refusal(format!("Bearer realm=\"{realm}\",service=\"{host}\""))
            } else if !wants_token && sent != basic("ci", PASSWORD) {
                refusal("Basic realm=\"r\"".to_owned())
            } else {
                ([("content-type", MANIFEST)], "{}").into_response()
            }
        }
    };
    let token = move |Query(query): Query<Vec<(String, String)>>, headers: HeaderMap| {
        let sent = authorization(&headers);
        of_token
            .lock()
            .expect("no panic")
            .push(("token", sent.clone()));
        assert!(query.contains(&("scope".to_owned(), "repository:team/app:pull".to_owned())));
        async move {
            if sent == basic("ci", PASSWORD) {
                axum::Json(json!({"token": "granted"})).into_response()
            } else {
                refusal(String::new())
            }
        }
    };
    let refreshed = move |RawForm(form): RawForm| {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&form).into_owned().collect();
        let text = |name: &str| {
            let mut form = form.iter();
            form.find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        };
        assert_eq!(text("grant_type").as_deref(), Some("refresh_token"));
        let sent = text("refresh_token").expect("a token");
        of_form.lock().expect("no panic").push(("form", sent));
        async { axum::Json(json!({"access_token": "granted"})) }
    };
    let router = axum::Router::new()
        .route("/v2/team/app/manifests/1", get(manifest))
        .route("/token", get(token).post(refreshed));
    let address = serve(router).await;
    let host = format!("127.0.0.1:{}", address.port().expect("a port"));
    (host, seen)
}

fn document(host: &str, entry: &Value) -> String {
    json!({ "auths": { host: entry } }).to_string()
}

/// Reads an image with the credentials that the step gave, and those of this machine. Returns the
/// failure, if it is one, with its help.
async fn read(
    endpoints: Endpoints,
    image: &str,
    given: &[String],
    machine: Option<&str>,
) -> Result<(), (String, String, Vec<String>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.json");
    if let Some(text) = machine {
        std::fs::write(&file, text).expect("written");
    }
    let docker = Docker {
        file,
        programs: Vec::new(),
        workspace: folder.path().join("workspace"),
    };
    let registry = Registry::new(Arc::new(endpoints), Arc::new(Credentials::anonymous()));
    let registry = registry.with_docker(Some(docker));
    let services = Services::default().with(Arc::new(registry));
    let everything = json!([{ "repository": "**" }]);
    let (state, _) = state_with(&[(Capability::Registry, everything)], services);
    let push = |state: &mut StepState, text: &String| {
        state.table.push(Secret::new(text.clone())).expect("room")
    };
    let logins: Vec<_> = given.iter().map(|text| push(state, text)).collect();
    let masks = Arc::clone(&state.step.masks);
    let found = Calls(state).manifest(vec![image.to_owned()], logins).await;
    let known =
        masks.found_in(PASSWORD) && masks.found_in(&STANDARD.encode(format!("ci:{PASSWORD}")));
    let holds = given.iter().map(String::as_str).chain(machine);
    let holds = holds.filter(|text| text.contains(PASSWORD)).count() > 0;
    assert_eq!(known, holds, "every password is masked before it is used");
    match found.expect("no trap").remove(0) {
        Ok(_) => Ok(()),
        Err(failure) => {
            let help = sidestep_gate_testing::help(&failure);
            Err((failure.code, failure.message, help))
        }
    }
}

#[tokio::test]
async fn a_password_answers_a_challenge_and_is_sent_to_nothing_else() {
    let entry = json!({ "username": "ci", "password": PASSWORD });
    let (host, seen) = registry(false).await;
    let image = format!("{host}/team/app:1");
    let given = [document(&host, &entry)];
    assert_eq!(
        read(Endpoints::default(), &image, &given, None).await,
        Ok(())
    );
    let expected = [
        ("manifest", String::new()),
        ("manifest", basic("ci", PASSWORD)),
    ];
    assert_eq!(*seen.lock().expect("no panic"), expected);

    let (host, seen) = registry(true).await;
    let image = format!("{host}/team/app:1");
    let given = [document(&host, &entry)];
    assert_eq!(
        read(Endpoints::default(), &image, &given, None).await,
        Ok(())
    );
    let expected = [
        ("manifest", String::new()),
        ("token", basic("ci", PASSWORD)),
        ("manifest", "Bearer granted".to_owned()),
    ];
    assert_eq!(*seen.lock().expect("no panic"), expected);
}

#[tokio::test]
async fn identity_tokens_are_exchanged_and_registry_tokens_sent() {
    let (host, seen) = registry(true).await;
    let image = format!("{host}/team/app:1");
    for (entry, way) in [
        (
            json!({ "identitytoken": "refresh-me" }),
            ("form", "refresh-me"),
        ),
        (
            json!({ "registrytoken": "granted" }),
            ("manifest", "Bearer granted"),
        ),
    ] {
        let given = [document(&host, &entry)];
        assert_eq!(
            read(Endpoints::default(), &image, &given, None).await,
            Ok(())
        );
        let (path, sent) = way;
        assert!(
            seen.lock()
                .expect("no panic")
                .contains(&(path, sent.to_owned()))
        );
    }
}

#[tokio::test]
async fn the_step_s_credentials_come_before_the_machine_s_in_their_order() {
    let (host, _) = registry(false).await;
    let image = format!("{host}/team/app:1");
    let right = document(&host, &json!({ "username": "ci", "password": PASSWORD }));
    let wrong = document(&host, &json!({ "username": "ci", "password": "wrong-one" }));
    let other = document(
        "ghcr.io",
        &json!({ "username": "ci", "password": "wrong-one" }),
    );
    let own = |given: &[&String], machine: Option<&String>| {
        let given: Vec<String> = given.iter().map(|text| (*text).clone()).collect();
        let (image, machine) = (image.clone(), machine.cloned());
        async move { read(Endpoints::default(), &image, &given, machine.as_deref()).await }
    };
    assert_eq!(own(&[&right, &wrong], Some(&wrong)).await, Ok(()));
    assert_eq!(own(&[&other, &right], Some(&wrong)).await, Ok(()));
    assert_eq!(own(&[&other], Some(&right)).await, Ok(()));
    assert_eq!(own(&[], Some(&right)).await, Ok(()));

    let (code, message, help) = own(&[&wrong, &right], None)
        .await
        .expect_err("the first counts");
    assert_eq!(code, "registry.login-refused");
    let expected = format!(
        "cannot read the manifest of {image}: {host} rejects the credentials that the step gave: "
    );
    assert!(message.starts_with(&expected), "{message}");
    assert!(
        help[0].starts_with("renew the password in the Secret"),
        "{help:?}"
    );
    let (code, message, help) = own(&[], Some(&wrong)).await.expect_err("it is wrong");
    assert_eq!(code, "registry.login-refused");
    assert!(
        message.contains("rejects the credentials in /"),
        "{message}"
    );
    assert!(
        help[0].starts_with("log in again with `docker login`"),
        "{help:?}"
    );
    let (code, _, help) = own(&[&other], None).await.expect_err("there are none");
    assert_eq!(code, "registry.unauthenticated");
    assert_eq!(
        help[0],
        format!("no credentials for {host} were found on the runner's machine")
    );
    let broken = "{".to_owned();
    let (code, ..) = own(&[], Some(&broken)).await.expect_err("unusable");
    assert_eq!(code, "registry.docker-config");
}

#[tokio::test]
async fn a_secret_that_holds_no_credentials_is_refused_before_anything_is_sent() {
    let (host, seen) = registry(false).await;
    let image = format!("{host}/team/app:1");
    let given = ["hunter22".to_owned()];
    let (code, message, _) = read(Endpoints::default(), &image, &given, None)
        .await
        .expect_err("none");
    assert_eq!(code, "registry.secret-unusable");
    assert!(!message.contains("hunter22"), "{message}");
    assert!(seen.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn an_address_that_the_operator_set_gets_no_credentials() {
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    let answer = move |headers: HeaderMap| {
        kept.lock()
            .expect("no panic")
            .push(("any", authorization(&headers)));
        async { refusal("Basic realm=\"r\"".to_owned()) }
    };
    let endpoints = stranger(axum::Router::new().fallback(any(answer))).await;
    let machine = document(
        "ghcr.io",
        &json!({ "username": "ci", "password": PASSWORD }),
    );
    let refused = async {
        let image = "ghcr.io/team/app:1";
        // The configuration is not even read.
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.json");
        std::fs::write(&file, &machine).expect("written");
        let docker = Docker {
            file,
            programs: Vec::new(),
            workspace: folder.path().to_owned(),
        };
        let registry = Registry::new(Arc::new(endpoints), Arc::new(Credentials::anonymous()));
        let services = Services::default().with(Arc::new(registry.with_docker(Some(docker))));
        let everything = json!([{ "repository": "**" }]);
        let (state, _) = state_with(&[(Capability::Registry, everything)], services);
        Calls(state)
            .manifest(vec![image.to_owned()], Vec::new())
            .await
            .expect("no trap")
    };
    let found = refused.await;
    assert_eq!(
        found[0].as_ref().expect_err("refused").code,
        "registry.unauthenticated"
    );
    let seen = seen.lock().expect("no panic");
    assert!(
        !seen.is_empty() && seen.iter().all(|(_, sent)| sent.is_empty()),
        "{seen:?}"
    );
}
