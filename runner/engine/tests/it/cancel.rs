use std::sync::Arc;
use std::time::Duration;

use sidestep_engine::{
    Ceilings, NoCleaner, Recorder, RunOptions, Stop, StopReason, collect, was_detached,
};
use sidestep_events::{Event, Exit, Status};

use crate::script::{Act, If, Script, World, plain, statuses};

fn made(act: Act) -> Script {
    Script::new()
        .step("build", &[], vec![Act::Make("pod-1", Box::new(act))])
        .step("next", &["build"], vec![plain()])
        .step("tell", &["build"], vec![plain()])
        .when(If::Always)
        .step("last", &[], vec![plain()])
        .when(If::Always)
        .with(|node| node.finally = true)
}

/// Stops the run as soon as its first step is running.
async fn interrupted(
    script: Script,
    detach: bool,
) -> (
    sidestep_engine::RunEnd,
    Vec<sidestep_events::Envelope>,
    Arc<Script>,
    World,
) {
    let (script, stop, world) = (Arc::new(script), Stop::new(), World::new());
    let (watched, asked) = (script.clone(), stop.clone());
    let asking = tokio::spawn(async move {
        watched.started.notified().await;
        asked.stop(StopReason::Asked {
            exit: Exit::Interrupted,
            detach,
        });
    });
    let (end, events) = world.run(&script, RunOptions::default(), stop).await;
    asking.await.expect("asked");
    (end, events, script, world)
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_cleans_up_then_runs_what_always_runs() {
    for act in [Act::Hang, Act::Ignore] {
        let (end, events, script, _) = interrupted(made(act), false).await;
        assert_eq!(
            (end.status, end.exit),
            (Status::Cancelled, Exit::Interrupted)
        );
        assert_eq!(
            statuses(&events),
            [
                "build cancelled",
                "next skipped",
                "tell succeeded",
                "last succeeded"
            ]
        );
        assert_eq!(*script.removed.lock().expect("whole"), ["pod-1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_shortens_the_grace_of_an_attempt_that_is_out_of_time() {
    let script = Script::new()
        .step(
            "build",
            &[],
            vec![Act::Make("pod-1", Box::new(Act::Ignore))],
        )
        .with(|node| node.timeout = Some(Duration::from_mins(1)));
    let (script, stop, world) = (Arc::new(script), Stop::new(), World::new());
    let asked = stop.clone();
    let began = tokio::time::Instant::now();
    let asking = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(61)).await;
        asked.stop(StopReason::Asked {
            exit: Exit::Interrupted,
            detach: false,
        });
    });
    world.run(&script, RunOptions::default(), stop).await;
    asking.await.expect("asked");
    assert_eq!(*script.removed.lock().expect("whole"), ["pod-1"]);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(66), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_detached_run_leaves_its_pod_for_whoever_resumes_it() {
    let (end, events, script, world) = interrupted(made(Act::Hang), true).await;
    assert_eq!((end.status, end.exit), (Status::Running, Exit::Interrupted));
    assert!(script.removed.lock().expect("whole").is_empty());
    assert!(
        !events
            .iter()
            .any(|e| matches!(e.event, Event::RunFinished(_)))
    );

    let again = Arc::new(made(plain()));
    let (end, _) = world.run(&again, RunOptions::default(), Stop::new()).await;
    assert_eq!(end.exit, Exit::Success);
    assert_eq!(again.attempts()[0], "build.1.2");
    // The same object: one intent, removed once, at the end of the attempt.
    assert_eq!(*again.removed.lock().expect("whole"), ["pod-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_detached_run_stays_one_when_something_of_it_is_cleaned_up() {
    let (.., world) = interrupted(made(Act::Hang), true).await;
    let folder = world.runs.open(&"r1".parse().expect("an id")).expect("one");
    let lock = folder.lock().expect("free");
    let (journal, account) = folder.clean_up(&lock).expect("readable");
    let history = account.history;
    let (recorder, _reports) = Recorder::new(
        folder.clone(),
        journal,
        &history,
        None,
        Stop::new(),
        Ceilings::default(),
        1,
    );
    let left = collect(&recorder, &NoCleaner, Duration::from_secs(1), |_| true).await;
    assert_eq!(left.len(), 1);
    let records = folder.read().expect("readable").records;
    assert!(was_detached(records.iter()));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_stopped_before_it_began_starts_nothing_but_what_always_runs() {
    let (script, stop) = (Arc::new(made(Act::Hang)), Stop::new());
    stop.stop(StopReason::Asked {
        exit: Exit::Terminated,
        detach: false,
    });
    let (end, _) = World::new().run(&script, RunOptions::default(), stop).await;
    assert_eq!(end.exit, Exit::Terminated);
    assert_eq!(script.attempts(), ["tell.1.1", "last.1.1"]);
}
