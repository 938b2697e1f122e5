//! The outcome of a command whose pod has ended.

use sidestep::serde_json::Value;
use sidestep::{Class, Error, Owner, Result, codes};
use sidestep_pod::{Exit, Followed, exit};

use crate::inputs::{Inputs, Outputs};
use crate::outputs::{most, read};

/// The exit code of a container that its runtime could not start.
const NOT_STARTED: i64 = 128;
/// The exit code of a process that SIGKILL ended.
const KILLED: i64 = 128 + 9;
/// The exit codes by which a shell says that it can't execute or find a command (POSIX, "Exit
/// Status for Commands").
const NOT_EXECUTABLE: [i64; 2] = [126, 127];

/// Returns the outputs of a command that succeeded, or why it did not.
pub(crate) fn outcome(followed: &Followed, inputs: &Inputs) -> Result<Outputs> {
    let Followed { seen, asked, tail } = followed;
    match exit(seen, *asked, &inputs.work())? {
        Exit::Succeeded(ended) => {
            let written = ended["message"].as_str().unwrap_or_default();
            let values = read(written, &inputs.outputs, most(seen.pod()))?;
            Ok(Outputs { values })
        }
        Exit::Failed(ended) => Err(failed(ended, tail)),
    }
}

fn failed(ended: &Value, tail: &str) -> Error {
    let code = ended["exitCode"].as_i64().unwrap_or(1);
    let reason = ended["reason"].as_str().unwrap_or_default();
    let message = ended["message"].as_str().unwrap_or_default().trim();
    if code == NOT_STARTED && matches!(reason, "StartError" | "ContainerCannotRun") {
        return Error::new(
            Class::Failed,
            codes::pod::NOT_STARTABLE,
            Owner::Author,
            format!("the command can't start: {message}"),
        )
        .help("check that the image has the program, and that `command` or `shell` is its path");
    }
    let error = Error::failed(
        codes::pod::COMMAND_FAILED,
        format!("the command ended with exit code {code}"),
    );
    let error = if NOT_EXECUTABLE.contains(&code) {
        error.help("a shell returns this exit code for a program that is missing in the image or is not executable")
    } else if code == KILLED {
        error.help("the kernel or another process killed it (SIGKILL); if it needed more memory than it has, raise `memory`")
    } else {
        error
    };
    match tail.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => error.help(format!("the log's last line: {}", line.trim())),
        None => error.help("its log is empty"),
    }
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;
    use sidestep_pod::Seen;

    use super::*;
    use crate::inputs::example;
    use crate::pod::CONTAINER;

    fn end(terminated: &Value, tail: &str, more: &Value) -> Result<Outputs> {
        let mut seen = Seen::new(CONTAINER);
        seen.state(&json!({
            "metadata": { "name": "p" },
            "status": { "phase": "Failed", "containerStatuses": [
                { "name": CONTAINER, "state": { "terminated": terminated } }] },
        }));
        seen.end();
        let followed = Followed {
            seen,
            asked: false,
            tail: tail.to_owned(),
        };
        outcome(&followed, &example(more))
    }

    #[test]
    fn a_command_that_fails_is_the_author_s_and_shows_its_last_line() {
        let error = end(
            &json!({ "exitCode": 3, "reason": "Error" }),
            "a\nno such test\n\n",
            &json!({}),
        )
        .expect_err("it failed");
        assert_eq!(
            (error.code.as_str(), error.owner, error.message.as_str()),
            (
                "pod.command-failed",
                Owner::Author,
                "the command ended with exit code 3"
            )
        );
        assert_eq!(error.help, ["the log's last line: no such test"]);
    }

    #[test]
    fn a_program_that_the_image_lacks_is_named() {
        let ended = json!({ "exitCode": 128, "reason": "StartError",
            "message": "exec: \"make\": executable file not found in $PATH" });
        let error = end(&ended, "", &json!({})).expect_err("it did not start");
        assert_eq!(error.code, "pod.not-startable");
        assert!(error.message.contains("\"make\""), "{error}");
        let error = end(
            &json!({ "exitCode": 127 }),
            "sh: make: not found\n",
            &json!({}),
        );
        let error = error.expect_err("it failed");
        assert!(error.help[0].contains("missing in the image"), "{error:?}");
    }

    #[test]
    fn memory_is_named_with_the_limit() {
        let ended = json!({ "exitCode": 137, "reason": "OOMKilled" });
        let error = end(&ended, "", &json!({ "memory": "1Gi" })).expect_err("it was killed");
        assert_eq!(error.code, "pod.out-of-memory");
        assert_eq!(
            error.message,
            "the command needed more memory than its limit of 1Gi"
        );
    }

    #[test]
    fn a_kill_that_memory_did_not_cause_has_its_exit_code() {
        let ended = json!({ "exitCode": 137, "reason": "Error" });
        let error = end(&ended, "", &json!({ "memory": "1Gi" })).expect_err("it was killed");
        assert_eq!(error.code, "pod.command-failed");
        assert!(error.message.contains("exit code 137"), "{error}");
        assert!(error.help[0].contains("raise `memory`"), "{error:?}");
    }

    #[test]
    fn outputs_come_from_the_termination_message() {
        let ended = json!({ "exitCode": 0, "message": "{\"version\":\"1.2\"}" });
        let declared = json!({ "outputs": { "version": { "type": "string" } } });
        let outputs = end(&ended, "", &declared).expect("it succeeded");
        assert_eq!(outputs.values["version"], "1.2");
    }
}
