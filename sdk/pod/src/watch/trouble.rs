//! Problems that keep a pod from its work, and how long each may take to recover.

use std::time::Duration;

use sidestep::serde_json::Value;
use sidestep::{Class, Error, Owner, codes};

use super::room::no_room;
use crate::mesh;
use crate::placement::held;
use crate::work::Work;

/// The reasons of a waiting container that may recover by itself: a registry that is slow to
/// answer, a Secret that is about to be created.
const MAY_HEAL: &[&str] = &[
    "ErrImagePull",
    "ImagePullBackOff",
    "RegistryUnavailable",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
];
/// The reasons of a waiting container that never recovers.
const NEVER_HEALS: &[&str] = &["InvalidImageName", "ErrImageNeverPull"];

/// Returns what the pod's state shows: a reason, how long it may last, and the error after that.
pub(super) fn trouble(pod: &Value, work: &Work<'_>) -> Option<(String, Duration, Error)> {
    let status = &pod["status"];
    if let Some(trouble) = not_started(status, work) {
        return Some(trouble);
    }
    if held(pod).is_some() {
        return None;
    }
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let unschedulable = conditions
        .filter(|condition| condition["type"] == "PodScheduled" && condition["status"] == "False")
        .find_map(|condition| condition["message"].as_str());
    unschedulable.map(|message| {
        let error = no_room(message, work);
        ("Unschedulable".to_owned(), work.pending_grace, error)
    })
}

/// Returns why a container keeps the work from starting: its own, or one that must start before it.
fn not_started(status: &Value, work: &Work<'_>) -> Option<(String, Duration, Error)> {
    let all = ["containerStatuses", "initContainerStatuses"];
    let all = all
        .iter()
        .filter_map(|list| status[list].as_array())
        .flatten();
    let (own, others): (Vec<&Value>, Vec<_>) = all.partition(|one| one["name"] == work.container);
    let waiting = |one: &Value| {
        let waiting = &one["state"]["waiting"];
        let reason = waiting["reason"].as_str()?.to_owned();
        let message = waiting["message"].as_str().unwrap_or(&reason).to_owned();
        let grace = if NEVER_HEALS.contains(&&*reason) {
            Duration::ZERO
        } else if MAY_HEAL.contains(&&*reason) {
            work.pull_grace
        } else {
            return None;
        };
        Some((reason, message, grace))
    };
    if let Some((reason, message, grace)) = own.iter().find_map(|one| waiting(one)) {
        let error = not_startable(&reason, &message, work);
        return Some((reason, grace, error));
    }
    // Once the program runs, what befalls the others is nothing to wait for.
    let has_started = own.iter().any(|one| !one["state"]["waiting"].is_object());
    let (name, (reason, message, grace)) = others
        .iter()
        .filter(|_| !has_started)
        .find_map(|one| Some((one["name"].as_str()?, waiting(one)?)))?;
    let error = mesh::waits(name, work, &reason, &message);
    Some((reason, grace, error))
}

fn not_startable(reason: &str, message: &str, work: &Work<'_>) -> Error {
    let noun = work.noun;
    if reason.contains("Image") || reason == "RegistryUnavailable" {
        return Error::new(
            Class::Failed,
            codes::pod::IMAGE_PULL,
            Owner::Cluster,
            format!("{} can't be pulled: {message}", work.image_text()),
        )
        .help(format!("check that the name is right and that the node's account has permission to pull it: the node pulls the image, not the {noun}"))
        .help(format!("or set `{}` to another image", work.image_input));
    }
    Error::new(
        Class::Failed,
        codes::pod::NOT_STARTABLE,
        Owner::Cluster,
        format!("the {noun}'s container can't start: {reason}: {message}"),
    )
    .help("the events of the namespace can say more:")
    .helps(work.list_events())
}
