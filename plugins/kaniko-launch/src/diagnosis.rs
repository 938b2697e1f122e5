//! Why kaniko failed, by its own final error, and what repairs it.

mod access;
mod dockerfile;

use sidestep::serde_json::Value;
use sidestep::{Error, codes, registry};
use sidestep_kaniko_messages::{FinalLine, Kind, classify};

use crate::identity::Identity;
use crate::inputs::Inputs;
use crate::layout;
use crate::logins;
use crate::printed::Printed;
use crate::repair::list_context;

/// Returns the error that kaniko's final error line means.
pub(crate) fn of_log(
    ended: &Value,
    printed: &Printed,
    tail: &str,
    inputs: &Inputs,
    identity: &Identity<'_>,
) -> Error {
    let exit = ended["exitCode"].as_i64().unwrap_or(1);
    let Some(line) = printed.final_line(tail, exit) else {
        return unsaid(exit, tail);
    };
    let Some(found) = classify(&line) else {
        return Error::failed(
            codes::kaniko::FAILED,
            format!("kaniko failed: {}", line.cause()),
        );
    };
    of_cause(found.kind, &found.text, &line, exit, inputs, identity)
}

/// Returns the error of a program that printed no error of its own: kaniko that was ended, or
/// another program.
fn unsaid(exit: i64, tail: &str) -> Error {
    let error = Error::failed(
        codes::kaniko::FAILED,
        format!("kaniko ended with exit code {exit} and printed no error of its own"),
    );
    match tail.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => error.help(format!("the log's last line: {}", line.trim())),
        None => error.help("its log is empty"),
    }
}

fn of_cause(
    kind: Kind,
    text: &str,
    line: &FinalLine,
    exit: i64,
    inputs: &Inputs,
    identity: &Identity<'_>,
) -> Error {
    let facts = kind.facts();
    match kind {
        Kind::KeyRefused
        | Kind::NoIdentity
        | Kind::BindingMissing
        | Kind::AccountGone
        | Kind::ApiDisabled
        | Kind::ContextDenied
        | Kind::PushDenied
        | Kind::RepositoryMissing => access::of_access(kind, text, line, inputs, identity),
        Kind::SourceMissing | Kind::StageLacks | Kind::ImageName => {
            dockerfile::of_dockerfile(kind, text, inputs)
        }
        Kind::ContextMissing => answer(
            kind,
            format!("the context {} does not exist (any more)", inputs.context),
        )
        .help(facts.help),
        Kind::DockerfileMissing => {
            let error = answer(
                kind,
                format!("the context does not contain `{}`", inputs.dockerfile),
            );
            let error = error.help(facts.help).helps(list_context(inputs));
            match layout::if_not_sent(&inputs.context, &inputs.dockerfile) {
                Some(help) => error.help(help),
                None => error,
            }
        }
        Kind::RunFailed => answer(
            kind,
            format!("a RUN instruction failed with exit code {exit}"),
        )
        .help(facts.help),
        Kind::BaseDenied | Kind::PushRefused if other_registry(line).is_some() => {
            let error = answer(kind, format!("{}: {}", facts.what, line.cause()));
            logins::refused(error, other_registry(line).unwrap_or_default(), inputs)
        }
        // The registry's reason may come after a part that the row catches.
        Kind::BaseDenied | Kind::BaseMissing | Kind::PushFailed => {
            answer(kind, format!("{}: {}", facts.what, line.cause())).help(facts.help)
        }
        Kind::PushAnonymous | Kind::TagImmutable | Kind::NotContained => {
            answer(kind, facts.what.to_owned()).help(facts.help)
        }
        _ => answer(kind, format!("{}: {text}", facts.what)).help(facts.help),
    }
}

/// Returns the registry that refused a request, unless it is one of Google's. The line names the
/// request's address.
fn other_registry(line: &FinalLine) -> Option<&str> {
    let (_, address) = line.message.rsplit_once("://")?;
    let host = address.split('/').next()?;
    (!host.is_empty() && !registry::is_googles(host)).then_some(host)
}

/// Returns an error of a kind, with a message.
fn answer(kind: Kind, message: String) -> Error {
    let facts = kind.facts();
    Error::new(facts.class, facts.code, facts.owner, message)
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;
    use sidestep::{Class, Owner};
    use sidestep_kaniko_messages::EXAMPLES;

    use super::*;
    use crate::identity::Facts;
    use crate::inputs::example;

    fn failure(log: &str, exit: i64) -> Error {
        let keyed = if log.contains("invalid_grant") {
            json!({ "googleKey": { "secret": "builder-key" } })
        } else {
            json!({})
        };
        let inputs = example(&keyed);
        let identity = Identity::known(&inputs, Facts::default());
        let ended = json!({ "exitCode": exit });
        of_log(&ended, &Printed::default(), log, &inputs, &identity)
    }

    #[test]
    fn every_example_of_the_table_gets_its_class_code_owner_and_help() {
        for (line, exit, kind) in EXAMPLES.iter().copied().flatten() {
            let facts = kind.facts();
            let error = failure(line, *exit);
            assert_eq!(error.code, facts.code, "{line}");
            assert_eq!(error.class, facts.class, "{line}");
            assert_eq!(error.owner, facts.owner, "{line}");
            assert!(!error.help.is_empty(), "{line}");
            let last = error.help.last().map(ToString::to_string);
            let last = last.unwrap_or_default();
            assert!(!last.ends_with(':'), "a command follows: {line}: {error:?}");
        }
    }

    #[test]
    fn an_unknown_message_shows_its_cause_and_not_the_log_s_last_line() {
        let log = "INFO[0001] x\nError: something new: why\nUsage:\n  executor [flags]\n\nUse \"executor --help\"\n";
        let error = failure(log, 1);
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("kaniko.failed", "kaniko failed: something new: why")
        );
        assert!(error.help.is_empty(), "{error:?}");
    }

    #[test]
    fn a_kaniko_that_was_ended_is_not_blamed_for_what_a_run_printed() {
        let log = "error building image: storage: object doesn't exist\ncompiling\n";
        let error = failure(log, 143);
        assert_eq!(
            error.message,
            "kaniko ended with exit code 143 and printed no error of its own"
        );
        assert_eq!(error.help, ["the log's last line: compiling"]);
    }

    #[test]
    fn a_registry_that_is_not_google_s_refuses_the_secret_that_was_sent_or_wants_one() {
        let line = "error checking push permissions: checking push permission for \"ghcr.io/demo/app:1\": POST https://ghcr.io/v2/demo/app/blobs/uploads/: UNAUTHORIZED: authentication required";
        let of = |more: &Value| {
            let inputs = example(more);
            let identity = Identity::known(&inputs, Facts::default());
            let ended = json!({ "exitCode": 1 });
            of_log(&ended, &Printed::default(), line, &inputs, &identity)
        };
        let error = of(&json!({ "registrySecret": "registry" }));
        assert_eq!(
            (error.code.as_str(), error.owner),
            ("registry.login-refused", Owner::Author)
        );
        assert!(
            error
                .message
                .starts_with("ghcr.io rejects the credentials in Secret builds/registry: "),
            "{error}"
        );
        let error = of(&json!({}));
        assert_eq!(error.code, "kaniko.push-denied");
        let help: Vec<String> = error.help.iter().map(ToString::to_string).collect();
        assert!(help[0].contains("no credentials for ghcr.io"), "{help:?}");
        assert!(
            help[1].starts_with(
                "kubectl create secret docker-registry registry -n builds --docker-server ghcr.io "
            ),
            "{help:?}"
        );
    }

    #[test]
    fn a_lost_network_passes_by_itself() {
        let line = "Error: error resolving source context: Get \"https://storage.googleapis.com/contexts/a\": dial tcp 10.0.0.1:443: connect: connection refused";
        let error = failure(line, 1);
        assert_eq!(
            (error.class, error.code.as_str(), error.owner),
            (Class::Unavailable, "kaniko.network", Owner::Cluster)
        );
    }
}
