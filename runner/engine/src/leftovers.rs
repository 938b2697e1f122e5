//! Removes the external objects of attempts, by the journal's intents: at the end of an attempt,
//! when a run is resumed, and when `sidestep gc` cleans up after a run whose process was killed.

use std::time::Duration;

use futures::future::join_all;
use sidestep_events::{
    Class, CleanedUp, Done, Event, Failure, Foreign, Intent, Location, OnExit, Owner, Record, codes,
};
use tokio::time::{Instant, timeout};

use crate::recorder::{Recorder, Scope};
use crate::{Cleaner, Removal};

/// The maximum number of objects that are removed at the same time.
const AT_ONCE: usize = 16;

/// The code of the warning at the end of a detached run.
pub(crate) const DETACHED: &str = codes::run::DETACHED;

/// An external object that was to be removed, and the result.
#[derive(Debug, Clone, PartialEq)]
pub struct Leftover {
    /// The intent that declared the object.
    pub intent: Intent,
    /// The result of the removal, or why it failed.
    pub removed: Result<Removal, Failure>,
}

/// Removes the external objects of a run that no process writes any more, if `wanted` picks them.
/// Journals and returns the result for each object. `limit` is the time for all of them together.
pub async fn collect(
    recorder: &Recorder,
    cleaner: &dyn Cleaner,
    limit: Duration,
    wanted: impl Fn(&Intent) -> bool,
) -> Vec<Leftover> {
    let left = clean_up(recorder, cleaner, limit, &Scope::run(), wanted).await;
    recorder.close();
    left
}

/// Returns whether the last process of a run detached on purpose, so that the run can be resumed.
/// Later removals of expired objects do not change the answer.
pub fn was_detached<'a>(records: impl DoubleEndedIterator<Item = &'a Record>) -> bool {
    let last = records.rev().find_map(|record| match record {
        Record::Event(envelope) if !matches!(envelope.event, Event::CleanedUp(_)) => {
            Some(&envelope.event)
        }
        _ => None,
    });
    matches!(last, Some(Event::Warning(warning)) if warning.code == DETACHED)
}

/// Applies `on-exit` to the external objects of the intents that `wanted` picks.
pub(crate) async fn clean_up(
    recorder: &Recorder,
    cleaner: &dyn Cleaner,
    limit: Duration,
    scope: &Scope,
    wanted: impl Fn(&Intent) -> bool,
) -> Vec<Leftover> {
    let open = recorder.open_intents(|intent| intent.on_exit == OnExit::Delete && wanted(intent));
    let until = Instant::now() + limit;
    let mut all = Vec::new();
    for some in open.chunks(AT_ONCE) {
        let removals = some.iter().map(|intent| async {
            let left = until.saturating_duration_since(Instant::now());
            let removed = timeout(left, cleaner.remove(intent)).await;
            removed.unwrap_or_else(|_| Err(timed_out(limit)))
        });
        let removals = join_all(removals).await;
        for (intent, removed) in some.iter().cloned().zip(removals) {
            record(recorder, scope, &intent, &removed);
            all.push(Leftover { intent, removed });
        }
    }
    all
}

fn timed_out(limit: Duration) -> Failure {
    let limit = limit.as_secs();
    Failure::new(
        Class::TimedOut,
        codes::cleanup::TIMED_OUT,
        Owner::Cluster,
        format!("the API did not answer within {limit} s, so the object may still exist"),
    )
}

/// Journals and reports the result of removing an object. An object whose deletion is in progress
/// stays open in the journal, so that the next cleanup checks whether it is gone.
fn record(recorder: &Recorder, scope: &Scope, intent: &Intent, removed: &Result<Removal, Failure>) {
    if let Ok(Removal::Absent | Removal::Gone) = removed {
        // If this is not written, the next cleanup finds no object and records that.
        let _ = recorder.done(Done {
            intent: intent.id,
            id: None,
            removed: *removed == Ok(Removal::Gone),
        });
    }
    if *removed == Ok(Removal::Absent) {
        return;
    }
    let event = CleanedUp {
        kind: intent.kind.clone(),
        name: name_of(intent),
        removed: *removed == Ok(Removal::Gone),
        going: match removed {
            Ok(Removal::Going(going)) => Some(going.clone()),
            _ => None,
        },
        failure: removed.as_ref().err().cloned(),
    };
    recorder.emit(scope, Event::CleanedUp(event));
}

/// Returns an object's name and location, in the form that its own tools use.
pub fn name_of(intent: &Intent) -> Foreign {
    let name = intent.name.exact();
    let name = match &intent.location {
        Location::Cluster { namespace, .. } if namespace.is_empty() => name.to_owned(),
        Location::Cluster { namespace, .. } => format!("{namespace}/{name}"),
        Location::Bucket { bucket } => format!("gs://{bucket}/{name}"),
        Location::Repository { repository } => format!("{repository}:{name}"),
        Location::Project { project } => format!("{name} in project {project}"),
    };
    name.into()
}

#[cfg(test)]
mod tests {
    use sidestep_events::IntentId;

    use super::*;

    #[test]
    fn an_object_without_a_namespace_is_named_without_a_slash() {
        let intent = |namespace: &str| Intent {
            id: IntentId(1),
            instance: "build".to_owned(),
            attempt: 1,
            kind: "object".into(),
            location: Location::Cluster {
                cluster: "ci".to_owned(),
                namespace: namespace.to_owned(),
            },
            name: "one".into(),
            on_exit: OnExit::Delete,
            expiry: None,
        };
        assert_eq!(name_of(&intent("builds")).exact(), "builds/one");
        assert_eq!(name_of(&intent("")).exact(), "one");
    }
}
