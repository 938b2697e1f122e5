//! The skopeo tool (Debian package `skopeo`).

use crate::{
    access::OWNER,
    oci::{auth, client, push, reference},
    server::fresh,
};
use sidestep_test_harness::programs::program;
use std::{path::Path, process::Output};

/// Returns `None` if skopeo is not installed.
async fn skopeo(home: &Path, args: &[&str]) -> Option<Output> {
    let mut command = tokio::process::Command::new(program("skopeo")?);
    command.arg("--insecure-policy").args(args);
    command
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .kill_on_drop(true);
    Some(command.output().await.expect("it starts"))
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_copies_images_out_and_in() {
    let (server, dir) = fresh().await;
    push(&server, "europe-docker.pkg.dev/demo/apps/web:v1", 100_000).await;
    let source = format!(
        "docker://{}/europe-docker.pkg.dev/demo/apps/web:v1",
        server.address
    );
    let folder = format!("oci:{}:v1", dir.path().join("layout").display());
    let target = format!("docker://{}/gcr.io/demo/copied:v2", server.address);
    let creds = format!("_token:{OWNER}");
    let out = [
        "copy",
        "--src-tls-verify=false",
        "--src-creds",
        &creds,
        &source,
        &folder,
    ];
    let Some(output) = skopeo(dir.path(), &out).await else {
        return;
    };
    let into = [
        "copy",
        "--dest-tls-verify=false",
        "--dest-creds",
        &creds,
        &folder,
        &target,
    ];
    for output in [output, skopeo(dir.path(), &into).await.unwrap()] {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let digest = async |image: &str| {
        let image = reference(&server, image);
        client()
            .fetch_manifest_digest(&image, &auth(OWNER))
            .await
            .unwrap()
    };
    assert_eq!(
        digest("europe-docker.pkg.dev/demo/apps/web:v1").await,
        digest("gcr.io/demo/copied:v2").await
    );

    let anonymous = ["inspect", "--tls-verify=false", "--no-creds", &source];
    let refused = skopeo(dir.path(), &anonymous).await.unwrap();
    assert!(!refused.status.success());
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("Unauthenticated request"), "{words}");
}
