//! Web pages and other users that try to get the sandbox's tokens.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::setup::Setup;

/// Returns a place whose sandbox is live and has built an image.
fn with_live_sandbox() -> Setup {
    let mut setup = Setup::with_application();
    let output = setup.run(&["run", "--sandbox"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    setup
}

/// Sends a raw request and returns the status line of the answer.
fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the sandbox listens");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    let answer = String::from_utf8_lossy(&answer);
    answer.lines().next().unwrap_or_default().to_owned()
}

fn plain_endpoints(live: &Value) -> Vec<(String, String)> {
    let endpoints = live["live"]["endpoints"].as_object().expect("endpoints");
    let address = |url: &Value| {
        let url = url.as_str().expect("a URL");
        url.trim_start_matches("http://").to_owned()
    };
    endpoints
        .iter()
        .map(|(name, url)| (name.clone(), address(url)))
        .collect()
}

#[test]
fn no_endpoint_answers_a_page_in_a_browser() {
    let mut setup = with_live_sandbox();
    let endpoints = plain_endpoints(&setup.status_of("healthy"));
    assert!(endpoints.len() >= 10, "{endpoints:?}");
    for (name, address) in endpoints {
        let get = |headers: &str| {
            ask(
                &address,
                &format!("GET / HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"),
            )
        };
        let rebound = get("Host: evil.example\r\n");
        assert!(rebound.starts_with("HTTP/1.1 421"), "{name}: {rebound}");
        let port = get(&format!(
            "Host: evil.example:{}\r\n",
            address.rsplit(':').next().unwrap_or_default()
        ));
        assert!(port.starts_with("HTTP/1.1 421"), "{name}: {port}");
        let form = ask(
            &address,
            &format!(
                "POST /token HTTP/1.1\r\nHost: {address}\r\nOrigin: https://evil.example\r\n\
                 Content-Length: 0\r\nConnection: close\r\n\r\n"
            ),
        );
        assert!(form.starts_with("HTTP/1.1 403"), "{name}: {form}");
        let image = get(&format!(
            "Host: {address}\r\nSec-Fetch-Site: cross-site\r\n"
        ));
        assert!(image.starts_with("HTTP/1.1 403"), "{name}: {image}");
        let program = get(&format!("Host: {address}\r\n"));
        let refused = program.contains(" 421") || program.starts_with("HTTP/1.1 400");
        assert!(!refused, "{name}: a program is answered, with {program}");
    }
}

#[test]
fn the_proxy_opens_no_tunnel_to_another_name() {
    let mut setup = with_live_sandbox();
    let live = setup.status_of("healthy");
    let proxy = live["live"]["google"].as_str().expect("an address");
    for target in ["evil.example:443", "127.0.0.1:22", "[::1]:443"] {
        let answer = ask(
            proxy,
            &format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n"),
        );
        assert!(!answer.contains(" 200"), "{target}: {answer}");
    }
}

#[test]
fn only_its_owner_reads_what_the_sandbox_keeps() {
    let mut setup = with_live_sandbox();
    let folder = setup.folder().join("state/sidestep/sandbox");
    let mut seen = 0;
    each_file(&folder, &mut |path, mode| {
        seen += 1;
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
    });
    assert!(seen > 20, "{seen} files and folders");
    drop(setup.status_of("healthy"));
}

fn each_file(folder: &Path, look: &mut impl FnMut(&Path, u32)) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let data = fs::symlink_metadata(&path).expect("there");
        if !data.file_type().is_symlink() {
            look(&path, data.permissions().mode());
        }
        if data.is_dir() {
            each_file(&path, look);
        }
    }
}
