//! The messages and the end of a run whose objects cannot be removed.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use sidestep_engine::{AttemptSink, Cleaner, Executor, Removal, RunOptions, Stop, Work};
use sidestep_events::{
    Class, CleanedUp, Event, Exit, Failure, Going, Intent, Location, OnExit, Owner, Status,
};
use tokio_util::sync::CancellationToken;

use crate::script::{Script, World, plain};

/// Creates a pod, and succeeds.
struct Maker;

#[async_trait]
impl Executor for Maker {
    async fn execute(
        &self,
        work: Work,
        sink: Arc<AttemptSink>,
        _: CancellationToken,
    ) -> Result<Value, Failure> {
        let location = Location::Cluster {
            cluster: "c".into(),
            namespace: "builds".into(),
        };
        let intent = sink.intent("pod", location, &work.instance, OnExit::Delete, None)?;
        sink.done(intent, Some("u1".into()), false)?;
        Ok(json!({}))
    }
}

/// Returns each answer in turn, and counts the calls.
struct Answers(Mutex<Vec<Result<Removal, Failure>>>);

#[async_trait]
impl Cleaner for Answers {
    async fn remove(&self, _: &Intent) -> Result<Removal, Failure> {
        self.0.lock().expect("whole").remove(0)
    }
}

/// Runs one step, whose pod's removal has this outcome.
async fn run(world: &World, outcome: Result<Removal, Failure>) -> (Status, Exit, Vec<CleanedUp>) {
    let script = Script::new().step("build", &[], vec![plain()]);
    let cleaner = Answers(Mutex::new(vec![outcome]));
    let (end, events) = world
        .run_on(
            &Arc::new(script),
            Arc::new(Maker),
            Arc::new(cleaner),
            RunOptions::default(),
            Stop::new(),
        )
        .await;
    let cleaned = events
        .into_iter()
        .filter_map(|envelope| match envelope.event {
            Event::CleanedUp(cleaned) => Some(cleaned),
            _ => None,
        });
    (end.status, end.exit, cleaned.collect())
}

fn failure(class: Class) -> Failure {
    Failure::new(class, "kubernetes.x", Owner::Cluster, "cannot delete it")
}

fn going() -> Going {
    Going {
        uid: "u1".into(),
        until: None,
    }
}

#[tokio::test]
async fn a_run_whose_pod_may_stay_does_not_succeed() {
    for (class, exit) in [
        (Class::Denied, Exit::Denied),
        (Class::TimedOut, Exit::TimedOut),
        (Class::Unavailable, Exit::Unavailable),
        (Class::NotFound, Exit::Failed),
    ] {
        let (status, ended, cleaned) = run(&World::new(), Err(failure(class))).await;
        assert_eq!((status, ended), (Status::Failed, exit), "{class:?}");
        assert!(!cleaned[0].removed && cleaned[0].failure.is_some());
    }
}

#[tokio::test]
async fn a_run_whose_pod_is_being_removed_succeeds_and_says_which_one() {
    let (status, exit, cleaned) = run(&World::new(), Ok(Removal::Going(going()))).await;
    assert_eq!((status, exit), (Status::Succeeded, Exit::Success));
    assert!(!cleaned[0].removed);
    assert_eq!(cleaned[0].going, Some(going()));
}

#[tokio::test]
async fn a_pod_that_is_not_there_is_not_spoken_of() {
    let (status, _, cleaned) = run(&World::new(), Ok(Removal::Absent)).await;
    assert_eq!((status, cleaned), (Status::Succeeded, Vec::new()));
}

#[tokio::test]
async fn the_next_process_removes_what_the_last_one_could_not() {
    let world = World::new();
    run(&world, Err(failure(Class::Denied))).await;
    let (status, exit, cleaned) = run(&world, Ok(Removal::Gone)).await;
    assert_eq!((status, exit), (Status::Succeeded, Exit::Success));
    assert!(cleaned[0].removed);
}
