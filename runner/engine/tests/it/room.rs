//! Steps that wait for room, and steps for which there is never enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::{Value, json};
use sidestep_engine::{
    Admitted, AttemptSink, Executor, NoCleaner, RunEnd, RunOptions, Stop, Wait, Work,
};
use sidestep_events::{Envelope, Event, Exit, Failure, Status};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::script::{Script, World, plain};

/// Has room for this many steps.
struct Rooms {
    free: Arc<Semaphore>,
    running: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Executor for Rooms {
    fn admit(&self) -> Result<Admitted, Wait> {
        let free = Arc::clone(&self.free);
        match Arc::clone(&free).try_acquire_owned() {
            Ok(permit) => Ok(Box::new(permit)),
            Err(_) => Err(Wait {
                reason: "no room".to_owned(),
                until: Box::pin(async move { drop(free.acquire_owned().await) }),
            }),
        }
    }

    async fn execute(
        &self,
        work: Work,
        _: Arc<AttemptSink>,
        _: CancellationToken,
    ) -> Result<Value, Failure> {
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(running, Ordering::Relaxed);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        self.running.fetch_sub(1, Ordering::Relaxed);
        Ok(json!({ "of": work.instance }))
    }
}

/// Runs ten steps with this many rooms. Returns the end, the events, and how many steps ran side by
/// side.
async fn ten_in(rooms: usize) -> (RunEnd, Vec<Envelope>, usize) {
    let script = (0..10).fold(Script::new(), |script, n| {
        script.step(&format!("s{n}"), &[], vec![plain()])
    });
    let executor = Arc::new(Rooms {
        free: Arc::new(Semaphore::new(rooms)),
        running: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
    });
    let options = RunOptions {
        max_parallel: 10,
        ..RunOptions::default()
    };
    let (end, events) = World::new()
        .run_on(
            &Arc::new(script),
            executor.clone(),
            Arc::new(NoCleaner),
            options,
            Stop::new(),
        )
        .await;
    (end, events, executor.most.load(Ordering::Relaxed))
}

fn waiting(events: &[Envelope]) -> usize {
    let waits = |event: &&Envelope| matches!(&event.event, Event::StepWaiting(waits) if waits.reason == "no room");
    events.iter().filter(waits).count()
}

#[tokio::test]
async fn steps_take_turns_where_there_is_room_for_few() {
    for rooms in [1, 3] {
        let (end, events, most) = ten_in(rooms).await;
        assert_eq!((end.status, end.exit), (Status::Succeeded, Exit::Success));
        assert_eq!(most, rooms);
        // Each waiting step is reported once.
        assert_eq!(waiting(&events), 10 - rooms);
    }
}

#[tokio::test]
async fn steps_for_which_there_will_never_be_room_fail() {
    let (end, events, most) = ten_in(0).await;
    assert_eq!((end.status, most), (Status::Failed, 0));
    let failed = events.iter().filter(|event| match &event.event {
        Event::StepFinished(finished) => finished
            .failure
            .as_ref()
            .is_some_and(|failure| failure.code == "step.no-room"),
        _ => false,
    });
    assert_eq!(failed.count(), 10);
    assert_eq!(waiting(&events), 0);
}
