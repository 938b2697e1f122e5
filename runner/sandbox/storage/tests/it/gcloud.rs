//! The real gcloud.

use crate::{access::OWNER, server::fresh};
use sidestep_test_harness::programs::program;
use std::{path::Path, process::Output};

struct Gcloud<'a> {
    base: &'a str,
    home: &'a Path,
}

impl Gcloud<'_> {
    /// Returns `None` if gcloud is not installed.
    async fn run(&self, args: &[&str]) -> Option<Output> {
        let token = self.home.join("token");
        std::fs::write(&token, OWNER).unwrap();
        let mut command = tokio::process::Command::new(program("gcloud")?);
        command
            .args(args)
            .env("CLOUDSDK_CONFIG", self.home)
            .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
            .env("CLOUDSDK_CORE_PROJECT", "demo")
            .env("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "true")
            .env("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "true")
            .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", token)
            .env("CLOUDSDK_STORAGE_RESUMABLE_THRESHOLD", "1Mi")
            .env(
                "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE",
                format!("{}/storage/v1/", self.base),
            )
            .kill_on_drop(true);
        Some(command.output().await.expect("it starts"))
    }
}

fn ok(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn gcloud_storage_copies_lists_and_sets_policies() {
    let (server, dir) = fresh().await;
    let home = dir.path().join("gcloud");
    std::fs::create_dir(&home).unwrap();
    let gcloud = Gcloud {
        base: &server.base,
        home: &home,
    };
    let small = dir.path().join("small.txt");
    std::fs::write(&small, "hello from gcloud\n").unwrap();
    let large = dir.path().join("large.bin");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    std::fs::write(&large, &bytes).unwrap();

    let cp = [
        "storage",
        "cp",
        small.to_str().unwrap(),
        "gs://ctx/dir/small.txt",
    ];
    let Some(output) = gcloud.run(&cp).await else {
        return;
    };
    ok(&output);
    let cp = [
        "storage",
        "cp",
        large.to_str().unwrap(),
        "gs://ctx/large.bin",
    ];
    ok(&gcloud.run(&cp).await.unwrap());
    let listed = ok(&gcloud.run(&["storage", "ls", "gs://ctx"]).await.unwrap());
    assert_eq!(listed, "gs://ctx/large.bin\ngs://ctx/dir/\n");
    let listed = ok(&gcloud.run(&["storage", "ls", "gs://ctx/**"]).await.unwrap());
    assert_eq!(listed, "gs://ctx/dir/small.txt\ngs://ctx/large.bin\n");
    let text = gcloud
        .run(&["storage", "cat", "gs://ctx/dir/small.txt"])
        .await;
    assert_eq!(ok(&text.unwrap()), "hello from gcloud\n");
    let back = dir.path().join("back.bin");
    let cp = [
        "storage",
        "cp",
        "gs://ctx/large.bin",
        back.to_str().unwrap(),
    ];
    ok(&gcloud.run(&cp).await.unwrap());
    assert!(std::fs::read(&back).unwrap() == bytes);

    let binding = [
        "storage",
        "buckets",
        "add-iam-policy-binding",
        "gs://ctx",
        "--member",
        "serviceAccount:build@demo.iam.gserviceaccount.com",
        "--role",
        "roles/storage.objectViewer",
        "--condition=None",
    ];
    ok(&gcloud.run(&binding).await.unwrap());
    let build = Some("serviceAccount:build@demo.iam.gserviceaccount.com");
    let read = server.call_as(build, reqwest::Method::GET, "/ctx/dir/small.txt");
    assert_eq!(read.send().await.unwrap().status(), 200);

    let off = [
        "storage",
        "buckets",
        "update",
        "gs://ctx",
        "--no-uniform-bucket-level-access",
    ];
    ok(&gcloud.run(&off).await.unwrap());
    let describe = [
        "storage",
        "buckets",
        "describe",
        "gs://ctx",
        "--format=json",
    ];
    let described = ok(&gcloud.run(&describe).await.unwrap());
    let described: serde_json::Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["uniform_bucket_level_access"], false);
    assert_eq!(described["location"], "EU");
    let on = [
        "storage",
        "buckets",
        "update",
        "gs://ctx",
        "--uniform-bucket-level-access",
    ];
    ok(&gcloud.run(&on).await.unwrap());
    let described = ok(&gcloud.run(&describe).await.unwrap());
    let described: serde_json::Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["uniform_bucket_level_access"], true);

    ok(&gcloud
        .run(&["storage", "rm", "gs://ctx/large.bin"])
        .await
        .unwrap());
    assert_eq!(server.get("/storage/v1/b/ctx/o/large.bin").await.0, 404);
    let missing = gcloud
        .run(&["storage", "cat", "gs://ctx/large.bin"])
        .await
        .unwrap();
    assert!(!missing.status.success());
}
