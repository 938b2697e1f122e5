//! Requests outside the granted scope, behind the test's own proxy, which sees each request's
//! destination.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::harness::{Arena, Bounds, Outcome};

/// Returns a proxy's address and the requests that it receives. It answers 403, or never.
fn proxy(answers: bool) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (asked, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let head = head(&mut stream);
            if asked
                .send(head.lines().next().unwrap_or_default().to_owned())
                .is_err()
            {
                return;
            }
            if answers {
                let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
            } else {
                open.push(stream);
            }
        }
    });
    (address, heard)
}

fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        bytes.push(byte[0]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn command(arena: &mut Arena, proxy: &str, arguments: &[&str]) -> Command {
    let mut command = arena.setup.command(arguments);
    command.env("HTTPS_PROXY", format!("http://{proxy}"));
    command
}

/// Sends a request to each URL, and returns the code of each outcome.
fn tried(grant: &str, urls: &[&str], proxy: &str) -> (Vec<String>, Outcome) {
    let mut arena = Arena::new();
    let texts = serde_json::to_string(urls).expect("texts");
    arena.attack_with(
        &format!("act: http.try\ntexts: {texts}\nhttp: [{grant}]"),
        &format!("grants: {{ http: [{grant}] }}"),
    );
    let command = command(&mut arena, proxy, &["run", "--output", "json"]);
    let outcome = arena.run_command(command, Bounds::default());
    let found = outcome.stdout.lines().find_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).expect("an event");
        let is_attack = event["type"] == "step-finished" && event["step"] == "attack";
        is_attack.then(|| {
            event["data"]["outputs"]["found"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
    });
    let found = found.unwrap_or_default();
    (found.split(' ').map(str::to_owned).collect(), outcome)
}

#[test]
fn only_the_granted_host_port_and_path_are_reached_and_in_one_spelling() {
    let grant = "{ host: hooks.example.com, methods: [GET], paths: [\"/ok/**\"] }";
    let (proxy, heard) = proxy(true);
    let table = [
        ("https://hooks.example.com/ok/..%2fadmin", "http.request"),
        ("https://hooks.example.com/ok/..%5Cadmin", "http.request"),
        ("https://hooks.example.com/ok/%2e%2e/admin", "http.request"),
        (
            "https://hooks.example.com/ok/%252e%252e/admin",
            "http.request",
        ),
        ("https://hooks.example.com/ok/../admin", "http.request"),
        ("https://hooks.example.com/ok//admin", "http.request"),
        ("https://hooks.example.com/ok/..;/admin", "http.request"),
        (
            "https://hooks.example.com/ok/%c0%ae%c0%ae/admin",
            "http.request",
        ),
        ("https://hooks.example.com./ok/a", "http.request"),
        ("https://HOOKS.example.com/ok/a", "http.request"),
        (
            "https://hooks.example.com\\@evil.example/ok/a",
            "http.request",
        ),
        (
            "https://hooks.example.com@evil.example/ok/a",
            "http.request",
        ),
        ("https://hooks\u{3002}example.com/ok/a", "http.request"),
        ("https://hooks.example.com:8443/ok/a", "grant.scope"),
        ("https://hooks.example.com:22/ok/a", "grant.scope"),
        ("https://hooks.example.com/admin", "grant.scope"),
        ("https://evil.example/ok/a", "grant.scope"),
    ];
    let urls: Vec<&str> = table.iter().map(|(url, _)| *url).collect();
    let (codes, outcome) = tried(grant, &urls, &proxy);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let expected: Vec<&str> = table.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes, expected, "{outcome}");
    assert!(heard.try_recv().is_err(), "nothing was sent");
    // A granted request reaches the proxy exactly as it was checked.
    let (codes, outcome) = tried(grant, &["https://hooks.example.com/ok/a"], &proxy);
    assert_eq!(codes, ["http.unreachable"], "{outcome}");
    assert_eq!(
        heard.try_recv().as_deref(),
        Ok("CONNECT hooks.example.com:443 HTTP/1.1")
    );
}

#[test]
fn this_machine_and_its_network_are_not_reached_by_any_name() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    listener.set_nonblocking(true).expect("a listener");
    let (proxy, heard) = proxy(true);
    let here = format!("https://127.0.0.1:{port}/");
    let itself = format!("https://{proxy}/");
    let table = [
        (here.as_str(), "http.address"),
        (itself.as_str(), "http.address"),
        ("https://[::1]/", "http.address"),
        ("https://169.254.169.254/", "http.address"),
        ("https://10.0.0.1/", "http.address"),
        ("https://localhost/", "http.address"),
        ("https://metadata.google.internal/", "http.address"),
        ("https://intranet/", "http.address"),
        ("https://0x7f.1/", "http.request"),
        ("https://2130706433/", "http.request"),
        ("https://017700000001/", "http.request"),
        ("https://127.1/", "http.request"),
        ("https://[::ffff:127.0.0.1]/", "http.request"),
        ("https://[::ffff:a9fe:a9fe]/", "http.request"),
    ];
    let urls: Vec<&str> = table.iter().map(|(url, _)| *url).collect();
    let (codes, outcome) = tried("{ host: \"**\", ports: [\"*\"] }", &urls, &proxy);
    let expected: Vec<&str> = table.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes, expected, "{outcome}");
    assert!(heard.try_recv().is_err(), "the proxy was asked");
    assert!(listener.accept().is_err(), "this machine was reached");
}

#[test]
fn a_refusal_says_what_may_be_sent_and_the_next_step_runs() {
    let mut arena = Arena::new();
    let grant = "{ host: hooks.example.com, ports: [8443], methods: [GET] }";
    arena.attack_with(
        &format!("act: http.send\ntexts: [\"https://hooks.example.com/a\"]\nhttp: [{grant}]"),
        &format!("grants: {{ http: [{grant}] }}"),
    );
    let (proxy, heard) = proxy(true);
    let command = command(&mut arena, &proxy, &["run"]);
    let outcome = arena.run_command(command, Bounds::default());
    assert_eq!(outcome.code, Some(3), "{outcome}");
    outcome.assert_next_step_ran();
    let said = outcome.said();
    assert!(
        said.contains("the step may not GET https://hooks.example.com/a"),
        "{outcome}"
    );
    assert!(
        said.contains("it may send GET requests to hooks.example.com on port 8443"),
        "{outcome}"
    );
    assert!(heard.try_recv().is_err(), "nothing was sent");
}

#[test]
fn an_interrupt_ends_a_blocked_request() {
    let mut arena = Arena::new();
    let grant = "{ host: hooks.example.com }";
    arena.attack_with(
        &format!("act: http.send\ntexts: [\"https://hooks.example.com/a\"]\nhttp: [{grant}]"),
        &format!("grants: {{ http: [{grant}] }}"),
    );
    let (proxy, heard) = proxy(false);
    let command = command(&mut arena, &proxy, &["run"]);
    let outcome = arena.run_beside(command, Bounds::default(), |process| {
        assert_eq!(
            heard.recv_timeout(Bounds::default().time).as_deref(),
            Ok("CONNECT hooks.example.com:443 HTTP/1.1")
        );
        let sent = Command::new("kill")
            .args(["-s", "INT", &process.to_string()])
            .status();
        assert!(sent.expect("kill is there").success());
    });
    assert_eq!(outcome.code, Some(130), "{outcome}");
    outcome.assert_next_step_ran();
    assert!(outcome.said().contains("attack"), "{outcome}");
}
