//! Failures, in kaniko's words.

use crate::server::{Ran, Server};

const CONTEXT: &[(&str, &str)] = &[("Dockerfile", "FROM scratch\nCOPY a /a\n"), ("a", "x")];
const TOKEN: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

async fn server() -> Server {
    let server = Server::start().await;
    server.context(CONTEXT);
    server
}

/// Asserts a failure before the build: the message, then the usage text, and no digest.
fn usage(ran: &Ran, message: &str) {
    assert_eq!(ran.code, 1, "{}", ran.log);
    assert!(
        ran.log.contains(&format!("Error: {message}")),
        "{}",
        ran.log
    );
    assert!(
        ran.log.contains("\nUsage:\n  executor [flags]\n"),
        "{}",
        ran.log
    );
    assert!(ran.log.lines().count() > 50);
    assert_eq!(ran.digest, None);
}

fn plain(ran: &Ran, message: &str) {
    assert_eq!(ran.code, 1, "{}", ran.log);
    assert!(
        ran.log.lines().any(|line| line.starts_with(message)),
        "{}",
        ran.log
    );
    assert!(!ran.log.contains("Usage:"), "{}", ran.log);
}

#[tokio::test]
async fn no_identity() {
    let server = server().await;
    // A port without a listener.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let args = [
        "--context=gs://ctx/a/ctx.tar.gz",
        "--destination=europe-docker.pkg.dev/p/r/app:1",
    ];
    let ran = server.run_with(&args, &closed.to_string()).await;
    usage(
        &ran,
        "error resolving source context: dialing: credentials: could not find default credentials. See https://cloud.google.com/docs/authentication/external/set-up-adc for more information\n",
    );
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn binding_missing() {
    let server = server().await;
    server.fault(TOKEN, 403, "Unable to generate access token; IAM returned 403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).\n");
    let ran = server.run(&[]).await;
    usage(
        &ran,
        "error resolving source context: Get \"https://storage.googleapis.com/ctx/a%2Fctx.tar.gz\": credentials: cannot fetch token: compute: Received 403 `Unable to generate access token; IAM returned 403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).`",
    );
}

#[tokio::test]
async fn service_account_gone() {
    let server = server().await;
    server.fault(TOKEN, 404, "the server's own sentence");
    let ran = server.run(&[]).await;
    usage(
        &ran,
        "error resolving source context: Get \"https://storage.googleapis.com/ctx/a%2Fctx.tar.gz\": credentials: cannot fetch token: metadata: GCE metadata \"instance/service-accounts/default/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.full_control%2Chttps%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform\" not defined\n",
    );
    assert!(!ran.log.contains("the server's own sentence"));
}

#[tokio::test]
async fn bucket_denied_or_missing() {
    let server = server().await;
    let ran = server
        .run_with(
            &["--context=gs://ctx/none", "--no-push"],
            &server.address.to_string(),
        )
        .await;
    usage(
        &ran,
        "error resolving source context: storage: object doesn't exist\n",
    );
    server.fault(
        "/ctx",
        403,
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code></Error>",
    );
    let ran = server.run(&[]).await;
    usage(
        &ran,
        "error resolving source context: googleapi: got HTTP response code 403 with body: <?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code></Error>",
    );
}

#[tokio::test]
async fn registry_denied_and_it_says_so_before_the_build() {
    let server = server().await;
    let body = r#"{"errors":[{"code":"DENIED","message":"Permission \"artifactregistry.repositories.uploadArtifacts\" denied on resource \"projects/p/locations/europe/repositories/r\" (or it may not exist)"}]}"#;
    server.fault("POST /v2/", 403, body);
    let ran = server.run(&[]).await;
    plain(
        &ran,
        "error checking push permissions: checking push permission for \"europe-docker.pkg.dev/p/r/app:1\": POST https://europe-docker.pkg.dev/v2/p/r/app/blobs/uploads/: DENIED: Permission \"artifactregistry.repositories.uploadArtifacts\" denied on resource \"projects/p/locations/europe/repositories/r\" (or it may not exist)",
    );
    assert!(
        ran.log
            .contains("WARN[0000] make sure you entered the correct tag name"),
        "{}",
        ran.log
    );
    assert!(!ran.log.contains("Building stage"));
    assert_eq!(ran.digest, None);
}

#[tokio::test]
async fn no_dockerfile_in_the_context() {
    let server = server().await;
    let message = "error resolving dockerfile path: please provide a valid path to a Dockerfile within the build context with --dockerfile\n";
    for path in ["none", "../../etc/passwd", "/etc/passwd"] {
        usage(&server.run(&["--dockerfile", path]).await, message);
    }
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("Dockerfile")).unwrap();
    server.context_of(folder.path());
    usage(&server.run(&[]).await, message);
}

#[tokio::test]
async fn other_peoples_projects_are_the_world_outside() {
    let server = Server::start().await;
    let own = [("SIDESTEP_SANDBOX_PROJECTS", "other,p")];
    let metadata = server.address.to_string();
    let args = ["--context=gs://ctx/a/ctx.tar.gz", "--no-push"];
    server.context(&[("Dockerfile", "FROM gcr.io/distroless/nodejs22\nUSER app\n")]);
    let ran = server.run_in(&args, &metadata, &own).await;
    assert!(
        ran.log.contains("FROM gcr.io/distroless/nodejs22: the sandbox does not have gcr.io/distroless/nodejs22; an empty layer replaces it"),
        "{}",
        ran.log
    );
    assert_eq!(ran.code, 0, "{}", ran.log);
    server.context(&[("Dockerfile", "FROM europe-docker.pkg.dev/p/r/base:1\n")]);
    let ran = server.run_in(&args, &metadata, &own).await;
    assert!(ran.log.contains("MANIFEST_UNKNOWN"), "{}", ran.log);
    assert_ne!(ran.code, 0);
}

#[tokio::test]
async fn base_image_missing_in_the_sandboxs_own_registry() {
    let server = Server::start().await;
    server.context(&[("Dockerfile", "FROM europe-docker.pkg.dev/p/r/base:1\n")]);
    let ran = server.run(&[]).await;
    plain(
        &ran,
        "error building image: unable to complete operation after 0 attempts, last error: GET https://europe-docker.pkg.dev/v2/p/r/base/manifests/1: MANIFEST_UNKNOWN: Failed to fetch \"1\"",
    );
    assert_eq!(ran.digest, None);
}

#[tokio::test]
async fn a_source_that_is_not_there() {
    let server = Server::start().await;
    server.context(&[("Dockerfile", "FROM scratch\nCOPY gone /a\n")]);
    let ran = server.run(&[]).await;
    plain(
        &ran,
        "error building image: error building stage: failed to get files used from context: failed to get fileinfo for /kaniko/buildcontext/gone: lstat /kaniko/buildcontext/gone: no such file or directory",
    );
}

#[tokio::test]
async fn a_push_that_fails_leaves_the_digest_written() {
    let server = server().await;
    server.fault("PUT /v2/europe", 400, r#"{"errors":[{"code":"MANIFEST_INVALID","message":"The repository has enabled tag immutability"}]}"#);
    let ran = server.run(&[]).await;
    plain(
        &ran,
        "error pushing image: failed to push to destination europe-docker.pkg.dev/p/r/app:1: PUT https://europe-docker.pkg.dev/v2/p/r/app/manifests/1: MANIFEST_INVALID: The repository has enabled tag immutability",
    );
    assert!(ran.digest.unwrap().starts_with("sha256:"));
}

#[tokio::test]
async fn flags_and_dockerfiles_that_are_wrong() {
    let server = server().await;
    usage(
        &server.run(&["--platform=linux/arm64"]).await,
        "unknown flag: --platform\n",
    );
    let ran = server
        .run_with(&["--context=gs://ctx/a"], &server.address.to_string())
        .await;
    usage(&ran, "you must provide --destination, or use --no-push\n");
    usage(
        &server.run(&["--context=ftp://x"]).await,
        "error resolving source context: unknown build context prefix",
    );
    plain(
        &server
            .run(&["--destination=europe-docker.pkg.dev/P/x"])
            .await,
        "error checking push permissions: getting tag for destination: repository can only contain",
    );
}

/// The plugin matches kaniko's own final error against its message table. Output of a Dockerfile in
/// the log does not match.
#[tokio::test]
async fn what_a_dockerfile_prints_does_not_change_the_verdict() {
    use sidestep_kaniko_messages::{EXAMPLES, FinalLine, Kind, classify};
    let server = Server::start().await;
    let lines: String = EXAMPLES
        .iter()
        .copied()
        .flatten()
        .filter(|(line, _, _)| !line.contains(['\n', '$']))
        .map(|(line, _, _)| format!("RUN echo {line}\n"))
        .collect();
    for (last, kind) in [
        ("COPY gone /a", Kind::SourceMissing),
        ("EXPOSE 80/zzz", Kind::InstructionWrong),
        (
            "RUN --mount=type=secret,id=npm,required=true true",
            Kind::SecretMissing,
        ),
    ] {
        let dockerfile = format!("FROM scratch\n{lines}{last}\n");
        server.context(&[("Dockerfile", &dockerfile)]);
        let ran = server.run(&[]).await;
        assert!(
            ran.log.contains("storage: object doesn't exist"),
            "what the RUN holds is in the log: {}",
            ran.log
        );
        // The sandbox executes no RUN, so the output of a real one replaces its line.
        let print = |line: &str| match line.split_once("RUN echo ") {
            Some((_, printed)) => format!("{printed}\n"),
            None => format!("{line}\n"),
        };
        let log: String = ran.log.lines().map(print).collect();
        assert!(log.contains("\nError: error resolving source context: storage: object"));
        let line = FinalLine::last(&log).expect("kaniko ended with an error of its own");
        assert!(line.fits(i64::from(ran.code)) && line.ends(&log), "{log}");
        let found = classify(&line.with_rest(&log)).map(|found| found.kind);
        assert_eq!(found, Some(kind), "{log}");
    }
}

#[tokio::test]
async fn no_token_is_in_any_log() {
    let server = server().await;
    for fault in ["", "/ctx", "POST /v2/", "/token", "PUT /v2/"] {
        server.world.lock().unwrap().faults.clear();
        if !fault.is_empty() {
            server.fault(fault, 500, "broken");
        }
        let ran = server.run(&["--verbosity=trace"]).await;
        assert!(
            !ran.log.contains("pod-token") && !ran.log.contains("known"),
            "{}",
            ran.log
        );
        assert_eq!(ran.code, i32::from(!fault.is_empty()), "{}", ran.log);
    }
}
