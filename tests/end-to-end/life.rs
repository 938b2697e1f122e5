//! The life of a sandbox's process, as its user sees it: found, refused, killed, moved, ended.

use std::net::TcpListener;
use std::process::Command;

use crate::served::Served;
use crate::setup::Setup;

fn errors(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_second_one_is_refused_and_the_way_on_is_said() {
    let mut served = Served::new();
    let pid = served.pid();
    let output = served.setup.run(&["sandbox"]);
    let said = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let words = format!("a sandbox of scenario `healthy` is already served by process {pid}");
    assert!(said.contains(&words), "{said}");
    assert!(
        said.contains("eval \"$(sidestep sandbox status --output env)\""),
        "{said}"
    );
    assert!(said.contains("$ sidestep sandbox stop"), "{said}");
    let live = served.setup.status_of("healthy")["live"].clone();
    assert_eq!(live["pid"], pid);
    assert!(live["google"].as_str().unwrap().starts_with("127.0.0.1:"));
    // Another scenario is another sandbox.
    let status = ["sandbox", "status", "--scenario", "no-binding"];
    let said = errors(&served.setup.run(&status));
    assert!(
        said.contains("no sandbox `no-binding` is running"),
        "{said}"
    );

    let said = errors(&served.setup.run(&["sandbox", "stop"]));
    assert_eq!(said, "the sandbox was stopped; its state is kept\n");
    assert_eq!(served.end(), Some(0));
    let said = errors(&served.setup.run(&["sandbox", "stop"]));
    assert_eq!(said, "no sandbox was running\n");
    let said = errors(&served.setup.run(&["sandbox", "reset"]));
    assert_eq!(said, "the sandbox and its state were deleted\n");
    let said = errors(&served.setup.run(&["sandbox", "reset"]));
    assert_eq!(said, "there was nothing to delete\n");
}

#[test]
fn what_was_killed_is_not_live_and_comes_back_as_it_was() {
    let mut served = Served::new();
    let exports = served.exports.clone();
    let authority = served.setup.sandbox_file("healthy", "tls/ca.crt");
    served.kill();
    let said = errors(&served.setup.run(&["sandbox", "status"]));
    assert!(said.contains("no sandbox `healthy` is running"), "{said}");
    assert!(said.contains("sidestep sandbox"), "{said}");
    let setup = std::mem::replace(&mut served.setup, Setup::new());
    let mut again = Served::with(setup, &["sandbox"]);
    // Another process may have taken a port in the meantime, which is said.
    let moved = again.welcome.contains("the previous port of");
    assert!(again.exports == exports || moved, "{}", again.welcome);
    let names = |exports: &str| -> Vec<String> {
        let lines = exports.lines().filter_map(|line| line.split_once('='));
        lines.map(|(name, _)| name.to_owned()).collect()
    };
    assert_eq!(names(&again.exports), names(&exports));
    assert_eq!(again.setup.sandbox_file("healthy", "tls/ca.crt"), authority);
    signal("INT", again.pid());
    assert_eq!(again.end(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_another_one_and_that_is_said() {
    let mut served = Served::new();
    let ports = served.setup.sandbox_file("healthy", "ports.json");
    let ports: serde_json::Value = serde_json::from_str(&ports).unwrap();
    signal("TERM", served.pid());
    assert_eq!(served.end(), Some(0));
    let port = u16::try_from(ports["STORAGE"].as_u64().unwrap()).unwrap();
    let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let setup = std::mem::replace(&mut served.setup, Setup::new());
    let again = Served::with(setup, &["sandbox"]);
    assert!(
        again
            .welcome
            .contains("the previous port of STORAGE is in use"),
        "{}",
        again.welcome
    );
    assert!(!again.exports.contains(&format!(":{port}'")));
}

#[test]
fn what_cannot_be_used_is_named() {
    let mut setup = Setup::new();
    setup.write("file", "no folder\n");
    let file = setup.workspace().join("file");
    let mut command = setup.command(&["sandbox"]);
    let output = command.env("XDG_STATE_HOME", &file).output().unwrap();
    let said = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("file/sidestep/sandbox/healthy can't be used"),
        "{said}"
    );
    assert!(said.contains("$XDG_STATE_HOME"), "{said}");

    for command in ["status", "stop", "reset"] {
        let output = setup.run(&["sandbox", command, "--scenario", "nonsense"]);
        let said = errors(&output);
        assert!(said.contains("there is no scenario `nonsense`"), "{said}");
        assert_eq!(output.status.code(), Some(2), "{said}");
    }

    let scenario = ["sandbox", "--scenario", "no-binding"];
    let mut served = Served::with(setup, &scenario);
    signal("TERM", served.pid());
    assert_eq!(served.end(), Some(0));
    let state = served.setup.folder().join("state/sidestep/sandbox");
    std::fs::write(state.join("no-binding/google.json"), "{").unwrap();
    let output = served.setup.run(&scenario);
    let said = errors(&output);
    assert!(said.contains("no-binding/google.json is damaged"), "{said}");
    assert!(
        said.contains("$ sidestep sandbox reset --scenario no-binding"),
        "{said}"
    );
}
