//! Uploads a context to third-party Cloud Storage emulators.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use crate::setup::{Setup, find, program};

/// A server that is killed when the test ends.
struct Emulator(Child);

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Uploads a context twice to the server at `host`. The second upload sends nothing.
fn upload_twice(host: &str) {
    let made = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--fail",
            "--retry",
            "30",
            "--retry-connrefused",
        ])
        .args([
            "--retry-delay",
            "1",
            "--header",
            "Content-Type: application/json",
        ])
        .args(["--data", r#"{"name":"contexts"}"#, "--output", "/dev/null"])
        .arg(format!("http://{host}/storage/v1/b?project=demo"))
        .status()
        .unwrap();
    assert!(made.success(), "the emulator makes no bucket");
    let mut setup = Setup::with_application();
    let arguments = ["exec", "sidestep/context-upload", "-i", "bucket=contexts"];
    let emulator = [("STORAGE_EMULATOR_HOST", host)];
    let (exit, first) = setup.events_with(&arguments, &emulator);
    assert_eq!(exit, 0, "{first:#?}");
    let outputs = |events: &[serde_json::Value]| {
        find(events, "step-finished", |_| true).expect("an end")["outputs"].clone()
    };
    assert_eq!(outputs(&first)["sent"], true);

    let uri = outputs(&first)["uri"].as_str().unwrap().to_owned();
    let object = uri
        .strip_prefix("gs://contexts/")
        .unwrap()
        .replace('/', "%2F");
    let archive = setup.workspace().join("archive.tar.gz");
    let got = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--output"])
        .arg(&archive)
        .arg(format!(
            "http://{host}/storage/v1/b/contexts/o/{object}?alt=media"
        ))
        .status()
        .unwrap();
    assert!(got.success());
    let listed = Command::new("tar")
        .arg("--list")
        .arg("--file")
        .arg(&archive)
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(listed.stdout).unwrap(),
        "context/\ncontext/Dockerfile\ncontext/hello.txt\ndockerfiles/\n\
         dockerfiles/Dockerfile/\ndockerfiles/Dockerfile/Dockerfile\n\
         dockerfiles/Dockerfile/Dockerfile.dockerignore\n"
    );
    std::fs::remove_file(archive).unwrap();

    let (exit, second) = setup.events_with(&arguments, &emulator);
    assert_eq!(exit, 0, "{second:#?}");
    assert_eq!(outputs(&second)["sent"], false);
    assert_eq!(outputs(&second)["digest"], outputs(&first)["digest"]);
}

#[test]
fn fake_gcs_server_takes_a_context_once() {
    let Some(program) = program("fake-gcs-server") else {
        return;
    };
    let port = free_port().to_string();
    let host = format!("127.0.0.1:{port}");
    let child = Command::new(program)
        .args([
            "-scheme",
            "http",
            "-host",
            "127.0.0.1",
            "-port",
            &port,
            "-backend",
            "memory",
        ])
        .args([
            "-external-url",
            &format!("http://{host}"),
            "-public-host",
            &host,
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _emulator = Emulator(child);
    upload_twice(&host);
}

#[test]
fn gcp_storage_emulator_takes_a_context_once() {
    let Some(program) = program("gcp-storage-emulator") else {
        return;
    };
    let port = free_port().to_string();
    let host = format!("127.0.0.1:{port}");
    let child = Command::new(program)
        .args([
            "start",
            "--host=127.0.0.1",
            &format!("--port={port}"),
            "--in-memory",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _emulator = Emulator(child);
    upload_twice(&host);
}
