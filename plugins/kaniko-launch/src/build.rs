//! The build: its pod is created and followed to its end.

use sidestep::kubernetes::{self, CreateOptions, ObjectRef};
use sidestep::{Creation, Diagnostic, Error, Result, Step, codes};
use sidestep_pod::{Followed, Following, follow, start};

use crate::build_secrets::BuildSecrets;
use crate::digest;
use crate::identity::Identity;
use crate::inputs::{Inputs, Outputs};
use crate::logins;
use crate::outcome::outcome;
use crate::pod::pod;
use crate::printed::{Printed, patterns};
use crate::times::{self, Lines};

/// The bytes at the log's end that are searched for the lines after kaniko's error: its usage text
/// has some 10 KiB.
const TAIL: u32 = 16 * 1024;
/// The longest time, in seconds, that a build runs until it finds no identity: kaniko asks for one
/// before anything else.
const FIRST_SECONDS: i64 = 60;
/// The failures of a build whose metadata server was not ready.
const NOT_READY: [&str; 2] = [
    codes::pod::NO_IDENTITY,
    codes::identity::METADATA_UNAVAILABLE,
];

/// A pod of the build. The second one is created if the first one found no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    First,
    Second,
}

impl Pass {
    /// Returns the parts of the names of the pod and of its Secret.
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::First => ("build", "secrets"),
            Self::Second => ("build-again", "secrets-again"),
        }
    }
}

/// Builds the image and returns its digest.
pub(crate) fn run(step: &Step, inputs: &Inputs) -> Result<Outputs> {
    let identity = Identity::new(inputs);
    if let Some(warning) = identity.warning() {
        step.annotate(warning);
    }
    // Before the pod: its log must hold none of these passwords.
    let logins = logins::read(step, inputs)?;
    // A resumed build whose second pod exists must not make the first one again.
    let first = !(step.resumed() && exists(step, inputs, Pass::Second));
    let pass = if first { Pass::First } else { Pass::Second };
    let mut built = build(step, inputs, &identity, pass)?;
    if let Err(error) = &built.outcome
        && pass == Pass::First
        && is_not_ready(error, &built.followed, inputs)
    {
        step.annotate(not_ready(error));
        built = build(step, inputs, &identity, Pass::Second)?;
    }
    let mut outputs = built.outcome?;
    outputs.times = built.lines.times(built.followed.seen.pod());
    digest::check(step, &mut outputs, &logins)?;
    Ok(outputs)
}

/// A build whose pod has ended.
struct Built {
    outcome: Result<Outputs>,
    followed: Followed,
    lines: Lines,
}

/// Creates a pod and follows it to its end.
fn build(step: &Step, inputs: &Inputs, identity: &Identity<'_>, pass: Pass) -> Result<Built> {
    let work = inputs.work();
    let (build, secret) = pass.parts();
    let name = step.object_name(build);
    let mut object = pod(&name, inputs, step.remaining());
    let secrets = BuildSecrets::get(step.object_name(secret), inputs)?;
    let options = match &secrets {
        None => CreateOptions::temporary(),
        Some(secrets) => {
            secrets.mount(&mut object);
            secrets.options()
        }
    };
    let started = start(&work, name, &object, &options)?;
    let place = format!("{}/{}", inputs.namespace, started.pod.name);
    match started.outcome {
        Creation::Created => match &inputs.google_key {
            None => sidestep::info!("building in pod {place} as {}", inputs.service_account),
            Some(key) => {
                sidestep::info!(
                    "building in pod {place} with the key of Secret {}",
                    key.secret
                );
            }
        },
        Creation::AlreadyThere => {
            sidestep::info!("pod {place} is already building; following it");
        }
    }
    let mut printed = Printed::default();
    let mut lines = Lines::default();
    let following = Following {
        patterns: patterns().into_iter().chain(times::patterns()).collect(),
        tail: TAIL,
    };
    let followed = follow(step, &work, &started, following, |line| {
        lines.add(line);
        printed.add(line);
    })?;
    Ok(Built {
        outcome: outcome(&followed, &printed, inputs, identity),
        followed,
        lines,
    })
}

/// Returns whether the pod of a pass exists.
fn exists(step: &Step, inputs: &Inputs, pass: Pass) -> bool {
    let name = step.object_name(pass.parts().0);
    let cluster = inputs.cluster.as_str();
    let pod = ObjectRef::namespaced(cluster, "v1", "pods", &inputs.namespace, &name);
    kubernetes::get(pod).is_ok()
}

/// Returns whether a build failed because its node's metadata server was not ready yet. With the
/// helper image, the pod has waited for it.
fn is_not_ready(error: &Error, followed: &Followed, inputs: &Inputs) -> bool {
    let asks_the_server = inputs.google_key.is_none() && inputs.cluster.project().is_some();
    let early = |ran| ran <= FIRST_SECONDS;
    asks_the_server
        && inputs.helper_image.is_none()
        && NOT_READY.contains(&error.code.as_str())
        && followed.seen.ran().is_some_and(early)
}

/// Returns the event of a build that is made again.
fn not_ready(error: &Error) -> Diagnostic {
    Diagnostic::warning(
        codes::identity::NOT_READY,
        format!(
            "the build found no identity in its first seconds, so it is made again once: {}",
            error.message
        ),
    )
    .help("with the operator's setting `helperImage`, pods wait for the metadata server (docs/pod-run.md)")
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::{Value, json};
    use sidestep::{Class, Owner};
    use sidestep_pod::Seen;

    use super::*;
    use crate::inputs::example;
    use crate::pod::CONTAINER;

    fn is_again(code: &str, seconds: u32, more: &Value) -> bool {
        let mut seen = Seen::new(CONTAINER);
        let finished = format!("2026-11-30T06:{:02}:{:02}Z", seconds / 60, seconds % 60);
        seen.state(
            &json!({ "status": { "containerStatuses": [{ "name": CONTAINER, "state": {
            "terminated": { "exitCode": 1, "startedAt": "2026-11-30T06:00:00Z",
                "finishedAt": finished } } }] } }),
        );
        let followed = Followed {
            seen,
            asked: false,
            tail: String::new(),
        };
        let error = Error::new(Class::Unavailable, code, Owner::Cluster, "no token");
        is_not_ready(&error, &followed, &example(more))
    }

    #[test]
    fn only_a_build_that_soon_found_no_identity_is_made_again() {
        let none = json!({});
        assert!(is_again("pod.no-identity", 3, &none));
        assert!(is_again("identity.metadata-unavailable", 60, &none));
        assert!(!is_again("pod.no-identity", 61, &none));
        assert!(!is_again("identity.binding-missing", 3, &none));
        for other in [
            json!({ "helperImage": "example.com/sidestep:1" }),
            json!({ "googleKey": { "secret": "s" } }),
            json!({ "cluster": "staging" }),
        ] {
            assert!(!is_again("pod.no-identity", 3, &other), "{other}");
        }
    }

    #[test]
    fn the_event_says_why_and_how_to_wait_instead() {
        let error = Error::new(Class::Unavailable, "x", Owner::Cluster, "no token");
        let event = not_ready(&error);
        assert_eq!(event.code, "identity.not-ready");
        assert!(
            event.message.ends_with("made again once: no token"),
            "{event:?}"
        );
    }
}
