//! Removing what attempts made outside, by the journal's intents: at an attempt's end, when a run
//! goes on, and when somebody cleans up after a run whose process was killed.

use std::time::Duration;

use sidestep_events::{
    Class, CleanedUp, Done, Event, Failure, Foreign, Intent, OnExit, Owner, Place, Record,
};
use tokio::time::{Instant, timeout};

use crate::Cleaner;
use crate::recorder::{Recorder, Scope};

/// The code of the warning that a run ends with that was detached.
pub(crate) const DETACHED: &str = "run.detached";

/// What became of an outside object that was to be removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Leftover {
    /// What it was.
    pub intent: Intent,
    /// Whether it was there to be removed, or why it could not be.
    pub removed: Result<bool, Failure>,
}

/// Removes what a run that nobody writes any more left outside, save what is to be kept. What
/// became of each object is journaled and answered. `limit` is the time for all of it.
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

/// Whether the last process of a run left it on purpose, for whoever resumes it. What was cleaned
/// up since, because its own time was over, changes nothing in that.
pub fn was_detached<'a>(records: impl DoubleEndedIterator<Item = &'a Record>) -> bool {
    let last = records.rev().find_map(|record| match record {
        Record::Event(envelope) if !matches!(envelope.event, Event::CleanedUp(_)) => {
            Some(&envelope.event)
        }
        _ => None,
    });
    matches!(last, Some(Event::Warning(warning)) if warning.code == DETACHED)
}

/// Applies `on-exit` to the outside objects of the intents that `wanted` picks.
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
    for intent in open {
        let left = until.saturating_duration_since(Instant::now());
        let removed = match timeout(left, cleaner.remove(&intent)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::new(
                Class::TimedOut,
                "cleanup.timed-out",
                Owner::Cluster,
                format!("removing it took longer than {} s", limit.as_secs()),
            )),
        };
        if let Ok(was_there) = removed {
            // If this isn't written, the next one to look finds nothing, and says so.
            let _ = recorder.done(Done {
                intent: intent.id,
                id: None,
                removed: was_there,
            });
        }
        if removed != Ok(false) {
            let event = CleanedUp {
                kind: intent.kind.clone(),
                name: name_of(&intent),
                removed: removed.is_ok(),
                failure: removed.as_ref().err().cloned(),
            };
            recorder.emit(scope, Event::CleanedUp(event));
        }
        all.push(Leftover { intent, removed });
    }
    all
}

/// An object's name and place, as its own tools write it.
pub fn name_of(intent: &Intent) -> Foreign {
    let name = intent.name.exact();
    let name = match &intent.place {
        Place::Cluster { namespace, .. } => format!("{namespace}/{name}"),
        Place::Bucket { bucket } => format!("gs://{bucket}/{name}"),
        Place::Repository { repository } => format!("{repository}:{name}"),
        Place::Project { project } => format!("{name} in project {project}"),
    };
    name.into()
}
