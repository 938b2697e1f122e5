//! The outcome of a pod that has ended.

use sidestep::serde_json::Value;
use sidestep::{Class, Error, Owner, Result, codes};

use crate::ending::{Disruption, Ending, Seen, ending};
use crate::mesh;
use crate::work::Work;

/// The end of a container by itself, with its `terminated` state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Exit<'a> {
    /// It ended with exit code 0.
    Succeeded(&'a Value),
    /// It failed, with another exit code.
    Failed(&'a Value),
}

/// Returns how the container ended by itself. `asked` tells whether this run deleted the pod.
///
/// # Errors
///
/// If memory, the cluster, this run or another client ended it.
pub fn exit<'a>(seen: &'a Seen, asked: bool, work: &Work<'_>) -> Result<Exit<'a>> {
    let noun = work.noun;
    Err(match ending(seen, asked, work.exits) {
        Ending::Succeeded(ended) => return Ok(Exit::Succeeded(ended)),
        Ending::Failed(ended) => return Ok(Exit::Failed(ended)),
        Ending::OutOfMemory => out_of_memory(work),
        Ending::Disrupted(how, message) => disrupted(how, &message, noun),
        Ending::OverTime => Error::new(
            Class::TimedOut,
            codes::pod::DEADLINE,
            Owner::Author,
            format!("the {noun} exceeded its time limit, and the cluster ended it"),
        )
        .help("give the step a longer `timeout`"),
        Ending::Deleted => Error::new(
            Class::Failed,
            codes::pod::DELETED,
            Owner::Cluster,
            format!("a caller outside this run deleted the {noun}'s pod before it ended"),
        )
        .help("find the caller in the cluster's audit log, then run the step again"),
        Ending::ByThisRun => Error::new(
            Class::Failed,
            codes::pod::STOPPED,
            Owner::Author,
            format!("an earlier process of this run deleted the {noun}'s pod before it ended"),
        )
        .help("run it again"),
        Ending::OtherContainer(other) => mesh::failed(other, work),
        Ending::NotStarted(why) => Error::new(
            Class::Failed,
            codes::pod::NOT_STARTABLE,
            Owner::Cluster,
            with_reason(
                &format!("the {noun}'s pod ended before {} started", work.program),
                &why,
            ),
        )
        .help("the events of the namespace say why:")
        .helps(work.list_events()),
    })
}

/// Returns the failure of a pod that the cluster ended. Running again is safe.
fn disrupted(how: Disruption, message: &str, noun: &str) -> Error {
    let (code, what) = match how {
        Disruption::Drained => (
            codes::pod::EVICTED,
            format!(
                "the {noun}'s pod was evicted, for example because its node is drained for an upgrade"
            ),
        ),
        Disruption::Evicted => (
            codes::pod::EVICTED,
            format!("the node evicted the {noun}'s pod"),
        ),
        Disruption::Preempted => (
            codes::pod::PREEMPTED,
            format!("the {noun}'s pod was preempted by a pod of a higher priority"),
        ),
        Disruption::NodeLost => (codes::pod::NODE_LOST, format!("the {noun}'s node was lost")),
    };
    let error = Error::new(
        Class::Unavailable,
        code,
        Owner::Cluster,
        with_reason(&what, message),
    );
    let error = match how {
        Disruption::Evicted => error.help(format!(
            "set `memory` and `ephemeralStorage`, so that the {noun} is scheduled to a node with enough room"
        )),
        Disruption::Preempted => error.help(format!(
            "the {noun}'s pod has the cluster's default priority, which a cluster administrator can raise (a PriorityClass with `globalDefault: true`)"
        )),
        Disruption::Drained | Disruption::NodeLost => error,
    };
    error.help("run it again, or let the step retry: `retry: { attempts: 3, on: [unavailable] }`")
}

/// Returns what happened, with the cluster's own sentence if there is one.
fn with_reason(what: &str, reason: &str) -> String {
    match reason.trim() {
        "" => what.to_owned(),
        reason => format!("{what}: {reason}"),
    }
}

fn out_of_memory(work: &Work<'_>) -> Error {
    let had = match work.memory_limit {
        Some(limit) => format!("its limit of {limit}"),
        None => "its node could provide".to_owned(),
    };
    let error = Error::failed(
        codes::pod::OUT_OF_MEMORY,
        format!("the {} needed more memory than {had}", work.noun),
    )
    .help("raise `memory`");
    match work.less_memory {
        Some(help) => error.help(help),
        None => error,
    }
}
