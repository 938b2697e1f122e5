use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::*;

/// A home folder, a workspace and two folders of programs.
struct Machine {
    folder: tempfile::TempDir,
    docker: Docker,
}

impl Machine {
    fn new(config: &Value) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["bin", "workspace/bin"] {
            std::fs::create_dir_all(at(name)).expect("made");
        }
        std::fs::write(at("config.json"), config.to_string()).expect("written");
        let docker = Docker {
            file: at("config.json"),
            programs: vec!["relative".into(), at("workspace/bin"), at("bin")],
            workspace: at("workspace"),
        };
        Self { folder, docker }
    }

    /// Writes a helper, whose answer is made by these lines.
    fn helper(&self, folder: &str, lines: &str) -> PathBuf {
        let file = self
            .folder
            .path()
            .join(folder)
            .join("docker-credential-test");
        std::fs::write(&file, format!("#!/bin/sh\n{lines}\n")).expect("written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&file, mode).expect("executable");
        file
    }

    async fn find(&self, repository: &str) -> Result<Option<Found>, Failure> {
        let repository = Repository::parse(repository).expect("a repository");
        self.docker.find(&repository).await
    }
}

fn password(user: &str, password: &str) -> Login {
    Login::Password {
        user: user.to_owned(),
        password: password.to_owned(),
    }
}

fn all_by_the_helper() -> Value {
    let own = json!({ "username": "file", "password": "of the file" });
    json!({ "auths": { "ghcr.io": own }, "credsStore": "test" })
}

#[tokio::test]
async fn a_machine_without_docker_has_no_credentials() {
    let machine = Machine::new(&json!({}));
    std::fs::remove_file(&machine.docker.file).expect("removed");
    assert!(machine.find("ghcr.io/a/b").await.expect("none").is_none());
}

#[tokio::test]
async fn the_file_s_own_entries_are_used_without_a_helper() {
    let entry = json!({ "username": "ci", "password": "hunter22" });
    let machine = Machine::new(&json!({ "auths": { "ghcr.io": entry } }));
    let found = machine.find("ghcr.io/a/b").await.expect("usable");
    let found = found.expect("an entry");
    assert_eq!(found.login, password("ci", "hunter22"));
    assert!(found.from.ends_with("/config.json"), "{}", found.from);
    assert!(machine.find("quay.io/a/b").await.expect("usable").is_none());
}

#[tokio::test]
async fn a_helper_is_asked_in_place_of_the_file_and_the_registry_s_own_first() {
    let machine = Machine::new(&all_by_the_helper());
    // It answers with the key that it gets.
    machine.helper(
        "bin",
        "[ \"$1\" = get ] || exit 3\nprintf '{\"ServerURL\":\"x\",\"Username\":\"ci\",\"Secret\":\"%s\"}' \"$(cat)\"",
    );
    for (repository, key) in [
        ("ghcr.io/a/b", "ghcr.io"),
        ("docker.io/library/python", "https://index.docker.io/v1/"),
        ("localhost:5000/a", "localhost:5000"),
    ] {
        let found = machine.find(repository).await.expect("usable");
        let found = found.expect("the helper's");
        assert_eq!(found.login, password("ci", key));
        assert_eq!(found.from, "the credentials of docker-credential-test");
        assert!(found.secrets.contains(&key.to_owned()));
    }
    let machine =
        Machine::new(&json!({ "credsStore": "gone", "credHelpers": { "ghcr.io": "test" } }));
    machine.helper(
        "bin",
        "printf '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'",
    );
    let found = machine.find("ghcr.io/a/b").await.expect("usable");
    let found = found.expect("the helper's");
    assert_eq!(found.login, Login::Identity("refresh".to_owned()));
}

#[tokio::test]
async fn a_helper_without_credentials_is_no_failure_and_any_other_answer_is() {
    let machine = Machine::new(&all_by_the_helper());
    machine.helper(
        "bin",
        "echo 'credentials not found in native keychain'; exit 1",
    );
    assert!(machine.find("ghcr.io/a/b").await.expect("none").is_none());
    for (lines, why) in [
        ("echo hunter22; exit 4", "ended with exit code 4"),
        ("echo hunter22", "gave an answer that is not credentials"),
        ("kill -9 $$", "ended with a signal"),
        ("exec cat /dev/zero", "answered with more than 65536 bytes"),
    ] {
        machine.helper("bin", lines);
        let failure = machine.find("ghcr.io/a/b").await.expect_err(lines);
        assert_eq!(failure.code, "registry.docker-config");
        let message = failure.message.exact();
        assert!(
            message.contains(why) && !message.contains("hunter22"),
            "{message}"
        );
    }
}

/// A helper that starts a child and does not answer.
struct Silent {
    machine: Machine,
    mark: PathBuf,
}

impl Silent {
    fn new() -> Self {
        let machine = Machine::new(&all_by_the_helper());
        let mark = machine.folder.path().join("child");
        let child = format!("sleep 1000 & echo $! > {}\nwait", mark.display());
        machine.helper("bin", &child);
        Self { machine, mark }
    }

    /// Waits until the child runs.
    async fn has_a_child(&self) {
        loop {
            match std::fs::read_to_string(&self.mark) {
                Ok(text) if text.ends_with('\n') => return,
                _ => tokio::task::yield_now().await,
            }
        }
    }

    /// Waits until the child has ended.
    async fn has_no_child(&self) {
        let pid = std::fs::read_to_string(&self.mark).expect("the child was started");
        let running = || {
            let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
            // A process that has ended stays until its parent collects it.
            state.is_ok_and(|text| !text.contains(") Z "))
        };
        while running() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_helper_that_does_not_answer_is_ended_with_its_children() {
    let silent = Silent::new();
    let docker = &silent.machine.docker;
    let asked = helper::ask_until(docker, "test", "ghcr.io", silent.has_a_child()).await;
    let failure = asked.expect_err("it is silent");
    assert!(
        failure
            .message
            .exact()
            .contains("did not answer within 30 seconds")
    );
    silent.has_no_child().await;
}

#[tokio::test]
async fn a_cancelled_helper_leaves_no_child() {
    let silent = Silent::new();
    tokio::select! {
        _ = silent.machine.find("ghcr.io/a/b") => panic!("it does not answer"),
        () = silent.has_a_child() => {}
    }
    silent.has_no_child().await;
}

#[tokio::test]
async fn an_empty_helper_means_the_file() {
    let own = json!({ "username": "file", "password": "of the file" });
    let machine = Machine::new(&json!({
        "auths": { "ghcr.io": own, "quay.io": own },
        "credsStore": "gone",
        "credHelpers": { "ghcr.io": "" },
    }));
    let found = machine.find("ghcr.io/a/b").await.expect("usable");
    let found = found.expect("the file's");
    assert_eq!(found.login, password("file", "of the file"));
    let other = machine.find("quay.io/a/b").await;
    assert_eq!(
        other.expect_err("it is gone").code,
        "registry.docker-config"
    );
}

#[tokio::test]
async fn no_helper_is_run_from_the_workspace() {
    let machine = Machine::new(&all_by_the_helper());
    let evil = "printf '{\"Username\":\"evil\",\"Secret\":\"secret\"}'";
    let file = machine.helper("workspace/bin", evil);
    let missing = machine
        .find("ghcr.io/a/b")
        .await
        .expect_err("none is allowed");
    assert!(missing.message.exact().contains("is not in PATH"));
    // Nor by a link to it.
    let link = machine.folder.path().join("bin/docker-credential-test");
    std::os::unix::fs::symlink(file, &link).expect("linked");
    assert!(machine.find("ghcr.io/a/b").await.is_err());
    std::fs::remove_file(link).expect("removed");
    machine.helper(
        "bin",
        "printf '{\"Username\":\"good\",\"Secret\":\"secret\"}'",
    );
    let found = machine.find("ghcr.io/a/b").await.expect("usable");
    assert_eq!(found.expect("one").login, password("good", "secret"));
}

#[tokio::test]
async fn names_of_helpers_that_are_paths_are_refused() {
    for name in ["../workspace/bin/x", "/bin/sh", "a b", ""] {
        let machine = Machine::new(&json!({ "credHelpers": { "ghcr.io": name } }));
        let found = machine.find("ghcr.io/a/b").await;
        match name {
            "" => assert!(found.expect("none").is_none()),
            _ => assert_eq!(found.expect_err(name).code, "registry.docker-config"),
        }
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_says_so_and_shows_nothing_of_it() {
    for text in [
        "hunter22",
        "{\"auths\": {\"a\": {\"auth\": \"hunter22!\"}}}",
    ] {
        let machine = Machine::new(&json!({}));
        std::fs::write(&machine.docker.file, text).expect("written");
        let failure = machine.find("ghcr.io/a/b").await.expect_err(text);
        assert_eq!(failure.code, "registry.docker-config");
        let message = failure.message.exact();
        assert!(message.contains("config.json can't be used") && !message.contains("hunter22"));
    }
    let machine = Machine::new(&json!({}));
    let file = std::fs::File::create(&machine.docker.file).expect("made");
    file.set_len(LARGEST + 1).expect("grown");
    assert!(machine.find("ghcr.io/a/b").await.is_err());
}
