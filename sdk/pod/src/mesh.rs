//! Containers beside the one that does the work: sidecars of the step, and those that the cluster
//! injects (service meshes, log and policy agents).
//!
//! The failure of an injected container is never the work's own: a cluster administrator put it
//! there.

use sidestep::serde_json::Value;
use sidestep::{Class, Command, Error, Owner, codes};

use crate::context;
use crate::helper::{CONTEXT, is_helper};
use crate::work::Work;

/// Returns the failure of a program that had no network while `container` was not ready yet, with its
/// error line.
pub fn not_ready(container: &str, line: &str, work: &Work<'_>) -> Error {
    Error::new(
        Class::Unavailable,
        codes::pod::NETWORK_NOT_READY,
        Owner::Cluster,
        format!(
            "{} started before the injected container `{container}` was ready, and had no network: {line}",
            work.program
        ),
    )
    .help("run it again, or let the step retry: `retry: { attempts: 3, on: [unavailable] }`")
    .help(format!(
        "a cluster administrator can make `{container}` start first (a native sidecar, or Istio's `holdApplicationUntilProxyStarts`)"
    ))
}

/// Returns the failure of a program that never started because the container of that status failed.
pub(crate) fn failed(status: &Value, work: &Work<'_>) -> Error {
    let name = status["name"].as_str().unwrap_or_default();
    let ended = &status["state"]["terminated"];
    if name == CONTEXT
        && let Some(error) = context::not_fetched(ended, work)
    {
        return error;
    }
    let reason = ended["reason"].as_str().unwrap_or_default();
    let message = ended["message"].as_str().unwrap_or_default().trim();
    let code = ended["exitCode"].as_i64().unwrap_or_default();
    let what = format!("ended with exit code {code} ({reason})");
    let colon = if message.is_empty() { "" } else { ": " };
    of(name, work, &format!("{what}{colon}{message}"))
}

/// Returns the failure of a program that can't start because the container of that name waits.
pub(crate) fn waits(name: &str, work: &Work<'_>, reason: &str, message: &str) -> Error {
    of(name, work, &format!("can't start: {reason}: {message}"))
}

fn of(name: &str, work: &Work<'_>, what: &str) -> Error {
    let noun = work.noun;
    if is_helper(name) {
        return Error::new(
            Class::Failed,
            codes::pod::SIDECAR_FAILED,
            Owner::Operator,
            format!("the {noun} can't start: the helper container `{name}` {what}"),
        )
        .help("correct the setting `helperImage`, or let the nodes' account pull the image")
        .help("`sidestep settings` prints where it is set");
    }
    if work.sidecars.contains(&name) {
        return Error::new(
            Class::Failed,
            codes::pod::SIDECAR_FAILED,
            Owner::Author,
            format!("the {noun} can't start: its sidecar `{name}` {what}"),
        )
        .help("correct the sidecar's `image`, `command` or `env`");
    }
    Error::new(
        Class::Failed,
        codes::pod::SIDECAR_FAILED,
        Owner::Cluster,
        format!("the {noun} can't start: the injected container `{name}` {what}"),
    )
    .help(format!("the cluster adds this container to the namespace's pods; a cluster administrator can fix it, or exclude {noun} pods. These commands show what adds it:"))
    .helps(
        Command::new(&["kubectl", "get", "namespace"])
            .value(work.namespace)
            .words(&["--show-labels"])
            .build(),
    )
    .helps([Command::fixed(&["kubectl", "get", "mutatingwebhookconfigurations"])])
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::work::example::build;

    #[test]
    fn the_container_that_failed_is_named_and_is_not_the_author_s() {
        let status = json!({ "name": "istio-init", "state": { "terminated": {
            "exitCode": 255, "reason": "Error", "message": "iptables: not permitted\n" } } });
        let error = failed(&status, &build());
        assert_eq!(error.owner, Owner::Cluster);
        assert_eq!(
            error.message,
            "the build can't start: the injected container `istio-init` ended with exit code 255 (Error): iptables: not permitted"
        );
    }

    #[test]
    fn a_build_without_a_network_before_its_mesh_is_ready_may_be_tried_again() {
        let line = "dial tcp 10.0.0.1:443: connection refused";
        let error = not_ready("istio-proxy", line, &build());
        assert_eq!(error.class, Class::Unavailable);
        assert!(error.message.contains("`istio-proxy` was ready"), "{error}");
    }

    #[test]
    fn a_sidecar_of_the_step_is_the_author_s() {
        let mut work = build();
        work.sidecars.push("db");
        let error = waits("db", &work, "CrashLoopBackOff", "back-off 10s");
        assert_eq!(error.owner, Owner::Author);
        assert_eq!(
            error.message,
            "the build can't start: its sidecar `db` can't start: CrashLoopBackOff: back-off 10s"
        );
    }
}
