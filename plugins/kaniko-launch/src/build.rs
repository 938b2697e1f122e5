//! The build: made, watched, and followed to its end.

use sidestep::kubernetes::{
    self, CreateOptions, FollowOptions, Matched, ObjectRef, PodRef, Update,
};
use sidestep::serde_json::{self, Value};
use sidestep::{Creation, Error, Progress, Result, Step, codes};

use crate::ending::Seen;
use crate::identity::Identity;
use crate::inputs::{Inputs, Outputs};
use crate::outcome::outcome;
use crate::pod::{CONTAINER, pod};
use crate::printed::{Printed, patterns};
use crate::refused::refused;
use crate::told::Told;
use crate::watch::Watch;

/// The bytes at the log's end that are searched for the lines after kaniko's error: its usage text
/// has some 10 KiB.
const TAIL: u32 = 16 * 1024;

/// The host's code when there is no pod to follow.
const NOT_FOUND: &str = codes::pod::NOT_FOUND;

/// Builds the image and returns its digest.
pub(crate) fn run(step: &Step, inputs: &Inputs) -> Result<Outputs> {
    let identity = Identity::new(inputs);
    if let Some(warning) = identity.warning() {
        step.annotate(warning);
    }
    let name = step.object_name("build");
    let target = ObjectRef::namespaced(
        inputs.cluster.as_str(),
        "v1",
        "pods",
        &inputs.namespace,
        &name,
    );
    let made = kubernetes::create(
        &target,
        &pod(&name, inputs, step.remaining()),
        &CreateOptions::temporary(),
    )
    .map_err(|error| refused(error, inputs))?;
    let place = format!("{}/{name}", inputs.namespace);
    match made.outcome {
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
    let pod = PodRef {
        cluster: inputs.cluster.as_str().to_owned(),
        namespace: inputs.namespace.clone(),
        name,
        uid: made.object["metadata"]["uid"].as_str().map(str::to_owned),
    };
    follow(step, inputs, &identity, &pod, &made.object)
}

/// Follows the pod to its end; `made` is its state when it was made.
fn follow(
    step: &Step,
    inputs: &Inputs,
    identity: &Identity<'_>,
    pod: &PodRef,
    made: &Value,
) -> Result<Outputs> {
    let options = FollowOptions {
        containers: vec![CONTAINER.to_owned()],
        patterns: patterns(),
    };
    let follow = kubernetes::follow_pod(pod, &options)?;
    let mut watch = Watch::default();
    let mut printed = Printed::default();
    let mut seen = Seen::default();
    seen.state(made);
    let mut told: Told = step.last_checkpoint()?.unwrap_or_default();
    let mut asked = None;
    loop {
        let update = match kubernetes::next(&follow, watch.patience(step.now())) {
            // It was made, and was gone before it could be watched.
            Err(error) if error.code == NOT_FOUND => {
                seen.end();
                return outcome(&seen, false, &printed, "", inputs, identity);
            }
            update => update?,
        };
        match update {
            None => {}
            Some(Update::Status(state)) => {
                let state = read(&state)?;
                seen.state(&state);
                // An earlier incarnation's clean-up deleted the pod that this one goes on with.
                asked.get_or_insert(step.resumed() && seen.is_deleted());
                if let Some(line) = watch.state(&state, step.now(), inputs) {
                    report(step, &line);
                }
            }
            Some(Update::Event(event)) => {
                let event = read(&event)?;
                watch.event(&event, step.now(), inputs);
                tell(step, &event, &mut told)?;
            }
            Some(Update::Matched(Matched { text, .. })) => printed.add(&text),
            Some(Update::Ended(state)) => {
                let tail = kubernetes::tail(&follow, CONTAINER, TAIL)?;
                seen.state(&read(&state)?);
                seen.end();
                let asked = asked.unwrap_or(false);
                return outcome(&seen, asked, &printed, &tail, inputs, identity);
            }
        }
        if let Some(error) = watch.verdict(step.now()) {
            return Err(error);
        }
    }
}

fn report(step: &Step, line: &str) {
    step.progress(&Progress {
        message: line.to_owned(),
        done: 0,
        total: None,
        unit: String::new(),
    });
}

/// Logs each warning once; what goes well is in the progress.
fn tell(step: &Step, event: &Value, told: &mut Told) -> Result<()> {
    let text = |key: &str| event[key].as_str().unwrap_or_default();
    let (reason, message) = (text("reason"), text("message"));
    if text("type") == "Warning" && told.note(reason, message) {
        sidestep::warn!("{reason}: {message}");
        return step.checkpoint(told);
    }
    sidestep::debug!("{reason}: {message}");
    Ok(())
}

fn read(text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|error| Error::from(error).context("reading the pod's state"))
}
