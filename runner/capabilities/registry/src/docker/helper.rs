//! Docker's credential helpers: programs that keep credentials
//! (<https://docs.docker.com/reference/cli/docker/login/#credential-helper-protocol>).

use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use sidestep_events::Failure;
use sidestep_gate::Login;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::{Docker, failure};

/// The time that a helper gets to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The maximum size of its answer, in bytes.
const LARGEST: u64 = 64 << 10;
/// The answer of a helper that has no credentials for the registry (`docker-credential-helpers`,
/// `credentials.errCredentialsNotFoundMessage`).
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The user name that stands for an identity token.
const TOKEN: &str = "<token>";

/// Credentials, and each text that must be masked.
type Answer = (Login, Vec<String>);

/// Asks a helper for a registry's credentials.
///
/// # Errors
/// `registry.docker-config` if the helper is missing, fails, or does not answer in time.
pub(super) async fn ask(docker: &Docker, name: &str, key: &str) -> Result<Option<Answer>, Failure> {
    ask_until(docker, name, key, tokio::time::sleep(PATIENCE)).await
}

/// Asks a helper, which must answer before `late` is over.
pub(super) async fn ask_until(
    docker: &Docker,
    name: &str,
    key: &str,
    late: impl Future<Output = ()>,
) -> Result<Option<Answer>, Failure> {
    let wrong = |why: String| {
        let name = name.escape_debug();
        let file = docker.file.display();
        let message =
            format!("the credential helper docker-credential-{name} that {file} names {why}");
        failure(message)
    };
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let program = docker
        .program(name)
        .filter(|_| name.bytes().all(is_part))
        .ok_or_else(|| {
            wrong("is not in PATH".to_owned()).with_help(
                "install it outside of the workspace, whose programs are not run, or correct the name",
            )
        })?;
    let mut command = Command::new(&program);
    command
        .arg("get")
        // Nothing of the workspace may be found by a relative name.
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    let child = command.spawn();
    let mut child = child.map_err(|error| wrong(format!("does not start: {error}")))?;
    let mut group = Group::of(&child);
    let answer = tokio::select! {
        answer = talk(&mut child, key) => Some(answer),
        () = late => None,
    };
    match &answer {
        Some(Ok((_, text))) if text.len() as u64 <= LARGEST => group.keep(),
        _ => {
            group.kill();
            let _ = child.wait().await;
        }
    }
    let (code, text) = match answer {
        None => {
            let seconds = PATIENCE.as_secs();
            return Err(wrong(format!("did not answer within {seconds} seconds")));
        }
        Some(Err(error)) => return Err(wrong(format!("can't be used: {error}"))),
        Some(Ok(answer)) => answer,
    };
    if text.len() as u64 > LARGEST {
        return Err(wrong(format!("answered with more than {LARGEST} bytes")));
    }
    if code == Some(0) {
        return match answered(&text) {
            Some(answer) => Ok(Some(answer)),
            None => Err(wrong("gave an answer that is not credentials".to_owned())),
        };
    }
    if text.trim_ascii() == NOT_FOUND.as_bytes() {
        return Ok(None);
    }
    // The rest of its text may contain anything.
    let code = code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
    Err(wrong(format!("ended with {code}")).with_help("run it by hand, or log in again"))
}

/// Sends the registry's key, and returns the exit code and the answer, one byte longer than the
/// maximum if it is longer.
async fn talk(child: &mut Child, key: &str) -> std::io::Result<(Option<i32>, Vec<u8>)> {
    if let Some(mut input) = child.stdin.take() {
        // A helper that does not read its input still answers.
        let _ = input.write_all(key.as_bytes()).await;
    }
    let mut text = Vec::new();
    if let Some(output) = child.stdout.take() {
        output.take(LARGEST + 1).read_to_end(&mut text).await?;
    }
    if text.len() as u64 > LARGEST {
        return Ok((None, text));
    }
    let status = child.wait().await?;
    Ok((status.code(), text))
}

/// The processes of a helper: those of the group that it leads. They are killed when it is dropped,
/// since a cancelled call drops the future that waits for the helper.
struct Group(Option<Pid>);

impl Group {
    fn of(leader: &Child) -> Self {
        let id = leader.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    /// Leaves the processes alone: the helper has ended by itself.
    fn keep(&mut self) {
        self.0 = None;
    }

    fn kill(&mut self) {
        if let Some(group) = self.0.take() {
            // All of them may have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads a helper's answer.
pub(in super::super) fn answered(text: &[u8]) -> Option<Answer> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Given {
        username: String,
        secret: String,
    }
    let Given { username, secret } = serde_json::from_slice(text).ok()?;
    if secret.is_empty() {
        return None;
    }
    let mut secrets = vec![secret.clone()];
    let login = if username == TOKEN {
        Login::Identity(secret)
    } else {
        secrets.push(STANDARD.encode(format!("{username}:{secret}")));
        Login::Password {
            user: username,
            password: secret,
        }
    };
    Some((login, secrets))
}
