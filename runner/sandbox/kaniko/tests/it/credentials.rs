//! `GOOGLE_APPLICATION_CREDENTIALS`: a file takes precedence over the metadata server.

use crate::server::{Ran, Server};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use std::path::Path;

const ARGS: [&str; 2] = [
    "--context=gs://ctx/a/ctx.tar.gz",
    "--destination=europe-docker.pkg.dev/p/r/app:1",
];

async fn server() -> Server {
    let server = Server::start().await;
    server.context(&[("Dockerfile", "FROM scratch\nCOPY a /a\n"), ("a", "x")]);
    server
}

/// Runs as a pod that has the folder mounted at `/secret`, and whose metadata server has another
/// identity.
async fn run(server: &Server, folder: &Path) -> Ran {
    let mounts = json!({ "/secret": folder }).to_string();
    let sts = format!("http://{}", server.address);
    let variables = [
        ("GOOGLE_APPLICATION_CREDENTIALS", "/secret/key.json"),
        ("SIDESTEP_MOUNTS", &mounts),
        ("SIDESTEP_ENDPOINT_STS", &sts),
    ];
    let metadata = server.address.to_string();
    server.run_in(&ARGS, &metadata, &variables).await
}

fn field(form: &str, name: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
}

#[tokio::test]
async fn a_key_signs_for_its_account() {
    let server = server().await;
    let folder = tempfile::tempdir().unwrap();
    let rule = &rcgen::PKCS_RSA_SHA256;
    let pair = rcgen::KeyPair::generate_rsa_for(rule, rcgen::RsaKeySize::_2048).unwrap();
    let key = json!({
        "type": "service_account", "private_key_id": "k1", "private_key": pair.serialize_pem(),
        "client_email": "builder@demo.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    std::fs::write(folder.path().join("key.json"), key.to_string()).unwrap();
    let ran = run(&server, folder.path()).await;
    assert_eq!(ran.code, 0, "{}", ran.log);
    let asked = server.requests();
    assert!(
        !asked.iter().any(|r| r.contains("computeMetadata")),
        "{asked:?}"
    );

    let forms = server.world.lock().unwrap().forms.clone();
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    assert_eq!(field(&forms[0], "grant_type"), grant);
    let public = DecodingKey::from_rsa_pem(pair.public_key_pem().as_bytes()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&["builder@demo.iam.gserviceaccount.com"]);
    validation.set_audience(&[format!("http://{}/token", server.address)]);
    let signed = field(&forms[0], "assertion");
    let signed = jsonwebtoken::decode::<Value>(&signed, &public, &validation).unwrap();
    assert_eq!(signed.header.kid.as_deref(), Some("k1"));
    let scope = signed.claims["scope"].as_str().unwrap();
    assert!(
        scope.contains("devstorage.full_control https://"),
        "{scope}"
    );
}

#[tokio::test]
async fn a_federated_file_sends_its_subject_token() {
    let server = server().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("subject"), "proof\n").unwrap();
    let file = json!({
        "type": "external_account", "audience": "//iam.googleapis.com/x",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("http://{}/token", server.address),
        "credential_source": { "file": "/secret/subject" },
    });
    std::fs::write(folder.path().join("key.json"), file.to_string()).unwrap();
    let ran = run(&server, folder.path()).await;
    assert_eq!(ran.code, 0, "{}", ran.log);
    let forms = server.world.lock().unwrap().forms.clone();
    assert_eq!(field(&forms[0], "subject_token"), "proof");
    assert_eq!(field(&forms[0], "audience"), "//iam.googleapis.com/x");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_not_passed_over() {
    let server = server().await;
    let folder = tempfile::tempdir().unwrap();
    let failed = |ran: Ran, why: &str| {
        assert_eq!(ran.code, 1);
        let message = format!("Error: error resolving source context: {why}");
        assert!(ran.log.contains(&message), "{}", ran.log);
    };
    let ran = run(&server, folder.path()).await;
    failed(
        ran,
        "dialing: open /secret/key.json: no such file or directory",
    );
    let file = folder.path().join("key.json");
    std::fs::write(
        &file,
        r#"{"type":"service_account","private_key":"SECRET"}"#,
    )
    .unwrap();
    let ran = run(&server, folder.path()).await;
    assert!(!ran.log.contains("SECRET"));
    failed(ran, "dialing: credentials: /secret/key.json holds no");
    std::fs::write(&file, r#"{"type":"authorized_user"}"#).unwrap();
    let ran = run(&server, folder.path()).await;
    failed(
        ran,
        "dialing: credentials: unsupported filetype \"authorized_user\"",
    );
    assert_eq!(server.requests(), Vec::<String>::new());
}
