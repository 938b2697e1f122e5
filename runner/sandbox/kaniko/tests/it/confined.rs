//! A pod of the sandbox is a process of the user's machine, whose files it does not get.

use crate::server::{Ran, Server};
use serde_json::json;
use std::{fs, path::Path};
use tempfile::TempDir;

/// The machine of a user, with a pod that has one volume, mounted at `/volume`.
struct Machine {
    server: Server,
    home: TempDir,
    pod: TempDir,
}

impl Machine {
    async fn new() -> Self {
        let server = Server::start().await;
        server.context(&[("Dockerfile", "FROM scratch\nCOPY a /a\n"), ("a", "x")]);
        let pod = tempfile::tempdir().unwrap();
        for folder in ["root", "volume"] {
            fs::create_dir(pod.path().join(folder)).unwrap();
        }
        let home = tempfile::tempdir().unwrap();
        Self { server, home, pod }
    }

    fn own(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    async fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        let root = self.pod.path().join("root").display().to_string();
        let mounts = json!({ "/volume": self.pod.path().join("volume") }).to_string();
        let pod = [
            ("SIDESTEP_MOUNTS", mounts.as_str()),
            ("SIDESTEP_ROOT", root.as_str()),
        ];
        let destination = ["--destination=europe-docker.pkg.dev/p/r/app:1"];
        let metadata = self.server.address.to_string();
        let args = [&destination, args].concat();
        let variables = [&pod, variables].concat();
        self.server.run_in(&args, &metadata, &variables).await
    }
}

const CONTEXT: &str = "--context=gs://ctx/a/ctx.tar.gz";

#[tokio::test]
async fn files_with_a_digest_do_not_climb_out_of_a_volume() {
    let machine = Machine::new().await;
    let victim = machine.own("victim");
    fs::write(&victim, "kept").unwrap();
    std::os::unix::fs::symlink(&victim, machine.pod.path().join("volume/link")).unwrap();
    for path in [
        victim.clone(),
        format!("/volume/../../../../../../..{victim}"),
        format!("../../../../../../..{victim}"),
    ] {
        for flag in [
            "image-name-with-digest-file",
            "image-name-tag-with-digest-file",
        ] {
            let file = format!("--{flag}={path}");
            let ran = machine.run(&[CONTEXT, &file], &[]).await;
            assert_eq!(ran.code, 0, "{}", ran.log);
        }
    }
    let ran = machine
        .run(&[CONTEXT, "--tar-path=/volume/link"], &[])
        .await;
    assert_eq!(ran.code, 1, "{}", ran.log);
    assert_eq!(fs::read_to_string(victim).unwrap(), "kept");

    let ran = machine
        .run(&[CONTEXT, "--tar-path=/volume/image.tar"], &[])
        .await;
    assert_eq!(ran.code, 0, "{}", ran.log);
    assert!(machine.pod.path().join("volume/image.tar").is_file());
}

#[tokio::test]
async fn an_archive_of_this_machine_is_no_context() {
    let machine = Machine::new().await;
    let archive = machine.own("backup.tar.gz");
    let bytes = machine.server.world.lock().unwrap().objects["/ctx/a%2Fctx.tar.gz"].clone();
    fs::write(&archive, &bytes).unwrap();
    for path in [archive.clone(), format!("/volume/../../../..{archive}")] {
        let context = format!("--context=tar://{path}");
        let ran = machine.run(&[&context], &[]).await;
        assert_eq!(ran.code, 1, "{}", ran.log);
        let expected = format!("open {path}: No such file or directory");
        assert!(ran.log.contains(&expected), "{}", ran.log);
    }
    fs::write(machine.pod.path().join("volume/a.tar.gz"), bytes).unwrap();
    let ran = machine
        .run(&["--context=tar:///volume/a.tar.gz"], &[])
        .await;
    assert_eq!(ran.code, 0, "{}", ran.log);
}

#[tokio::test]
async fn the_user_s_own_tokens_are_not_used() {
    let machine = Machine::new().await;
    let own = machine.server.address.to_string();
    fs::write(machine.own("token"), "subject").unwrap();
    let source = json!({
        "type": "external_account", "audience": "a", "subject_token_type": "t",
        "token_url": format!("http://{own}/token"),
        "credential_source": { "file": machine.own("token") },
    });
    fs::write(machine.own("adc.json"), source.to_string()).unwrap();
    let adc = machine.own("adc.json");
    let ran = machine
        .run(&[CONTEXT], &[("GOOGLE_APPLICATION_CREDENTIALS", &adc)])
        .await;
    assert_eq!(ran.code, 1, "{}", ran.log);
    let expected = format!("open {adc}: no such file or directory");
    assert!(ran.log.contains(&expected), "{}", ran.log);

    // A file of the volume can name a token of this machine as its source.
    fs::copy(Path::new(&adc), machine.pod.path().join("volume/adc.json")).unwrap();
    let variables = [("GOOGLE_APPLICATION_CREDENTIALS", "/volume/adc.json")];
    let ran = machine.run(&[CONTEXT], &variables).await;
    assert_eq!(ran.code, 1, "{}", ran.log);
    assert!(ran.log.contains("credentials: open"), "{}", ran.log);
    assert!(machine.server.world.lock().unwrap().forms.is_empty());
}
