//! A run that is detached while its attempts are active.

use std::sync::{Arc, mpsc};

use async_trait::async_trait;
use serde_json::Value;
use sidestep_engine::{
    AttemptSink, Cleaner, Executor, Removal, RunOptions, Stop, StopReason, Work,
};
use sidestep_events::{Event, Exit, Failure, Intent, Location, OnExit, Status};
use tokio_util::sync::CancellationToken;

use crate::script::{Script, World, plain};

const STEPS: usize = 4;

/// Creates a pod and is always active, so that any stop interrupts an operation.
struct Restless(mpsc::Sender<()>);

#[async_trait]
impl Executor for Restless {
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
        sink.done(intent, Some("uid".into()), false)?;
        self.0.send(()).expect("somebody listens");
        loop {
            tokio::task::yield_now().await;
        }
    }
}

struct Remover;

#[async_trait]
impl Cleaner for Remover {
    async fn remove(&self, _: &Intent) -> Result<Removal, Failure> {
        Ok(Removal::Gone)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whenever_it_is_detached_nothing_is_removed() {
    for _ in 0..30 {
        let script = (0..STEPS).fold(Script::new(), |script, n| {
            script.step(&format!("s{n}"), &[], vec![plain()])
        });
        let (world, stop) = (World::new(), Stop::new());
        let (begun, all_begun) = mpsc::channel();
        let asked = stop.clone();
        let stopping = tokio::task::spawn_blocking(move || {
            for _ in 0..STEPS {
                all_begun.recv().expect("all begin");
            }
            asked.stop(StopReason::Asked {
                exit: Exit::Terminated,
                detach: true,
            });
        });
        let (end, events) = world
            .run_on(
                &Arc::new(script),
                Arc::new(Restless(begun)),
                Arc::new(Remover),
                RunOptions::default(),
                stop,
            )
            .await;
        stopping.await.expect("no panic");
        assert_eq!(end.status, Status::Running);
        let removed = |event: &Event| matches!(event, Event::CleanedUp(_));
        assert!(!events.iter().any(|envelope| removed(&envelope.event)));
    }
}
