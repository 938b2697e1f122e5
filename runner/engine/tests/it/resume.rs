use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use sidestep_engine::{
    AttemptSink, Cleaner, Executor, Removal, RunOptions, Stop, StopReason, Work,
};
use sidestep_events::{Class, Event, Exit, Failure, Intent, LogLevel, LogLine, LogSource, OnExit};
use tokio_util::sync::CancellationToken;

use crate::script::{Act, Script, World, builds, fail, give, plain, statuses};

fn script(build: Act) -> Arc<Script> {
    let script = Script::new()
        .step("context", &[], vec![give(json!({"uri": "gs://b/1"}))])
        .step("build", &["context"], vec![build]);
    Arc::new(script)
}

/// Simulates a killed process: its run is dropped at any point.
async fn killed(world: &World, script: &Arc<Script>) {
    let run = world.run(script, RunOptions::default(), Stop::new());
    tokio::pin!(run);
    let mut started = 0;
    while started < 2 {
        tokio::select! {
            _ = &mut run => panic!("it was to be killed"),
            () = script.started.notified() => started += 1,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_goes_on_where_it_was() {
    let world = World::new();
    let hang = Act::Say("layer 1", Box::new(Act::Hang));
    let first = script(Act::Make(
        "pod-1",
        Box::new(Act::Remember(json!({"at": 7}), Box::new(hang))),
    ));
    killed(&world, &first).await;

    let second = script(Act::Make(
        "pod-1",
        Box::new(Act::Say("layer 2", Box::new(give(json!({"digest": "d"}))))),
    ));
    let (end, events) = world.run(&second, RunOptions::default(), Stop::new()).await;
    assert_eq!(end.exit, Exit::Success);
    assert_eq!(end.outputs, Some(json!({"digest": "d"})));
    assert_eq!(statuses(&events), ["build succeeded"]);
    {
        let seen = second.seen.lock().expect("whole");
        assert_eq!(seen.len(), 1, "what was finished does not run again");
        assert_eq!(
            (seen[0].attempt, seen[0].incarnation, seen[0].resumed),
            (1, 2, true)
        );
        assert_eq!(seen[0].checkpoint, Some(json!({"at": 7})));
        assert_eq!(seen[0].inputs, json!([{"uri": "gs://b/1"}]));
    }
    assert_eq!(*second.removed.lock().expect("whole"), ["pod-1"]);

    assert_eq!(world.lines(), ["layer 1", "layer 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_tries_again_what_did_not_succeed() {
    let world = World::new();
    let first = script(fail(Class::Failed, "kaniko.run-failed"));
    let (end, _) = world.run(&first, RunOptions::default(), Stop::new()).await;
    assert_eq!(end.exit, Exit::Failed);
    let second = script(plain());
    let (end, _) = world.run(&second, RunOptions::default(), Stop::new()).await;
    assert_eq!(end.exit, Exit::Success);
    assert_eq!(second.attempts(), ["build.2.1"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_run_left_of_a_finished_attempt_is_removed_on_resume() {
    let world = World::new();
    // The pod belongs to a step that the second process's program has already finished.
    let first = script(Act::Make("pod-1", Box::new(Act::Hang)));
    killed(&world, &first).await;
    let other = Arc::new(Script::new().step("context", &[], vec![plain()]));
    let (end, _) = world.run(&other, RunOptions::default(), Stop::new()).await;
    assert_eq!(end.exit, Exit::Success);
    assert_eq!(*other.removed.lock().expect("whole"), ["pod-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_refused_does_not_forget_what_an_earlier_incarnation_made() {
    let world = World::new();
    killed(&world, &script(Act::Make("pod-1", Box::new(Act::Hang)))).await;
    let refused = Act::Refused("pod-1", Box::new(fail(Class::Denied, "x.y")));
    let second = script(refused);
    let (end, _) = world.run(&second, RunOptions::default(), Stop::new()).await;
    assert_ne!(end.exit, Exit::Success);
    assert_eq!(*second.removed.lock().expect("whole"), ["pod-1"]);

    let world = World::new();
    let refused = Act::Refused("pod-1", Box::new(fail(Class::Denied, "x.y")));
    let first = script(refused);
    world.run(&first, RunOptions::default(), Stop::new()).await;
    assert!(first.removed.lock().expect("whole").is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_attempt_made_is_removed_even_if_it_is_never_gone_on_with() {
    let world = World::new();
    killed(&world, &script(Act::Make("pod-1", Box::new(Act::Hang)))).await;
    let (second, stop) = (script(plain()), Stop::new());
    stop.stop(StopReason::Asked {
        exit: Exit::Interrupted,
        detach: false,
    });
    let (end, _) = world.run(&second, RunOptions::default(), stop).await;
    assert_eq!(end.exit, Exit::Interrupted);
    assert!(second.attempts().is_empty());
    assert_eq!(*second.removed.lock().expect("whole"), ["pod-1"]);
}

/// Reads a log that still delivers a line after its attempt has ended.
#[derive(Default)]
struct Late(Mutex<Option<Arc<AttemptSink>>>);

fn say(sink: &AttemptSink, text: &str) {
    sink.event(Event::Log(LogLine {
        source: LogSource::Pod,
        level: LogLevel::Info,
        message: text.into(),
        end: sidestep_events::LineEnd::Feed,
        fields: BTreeMap::new(),
        offset: None,
    }));
}

#[async_trait]
impl Executor for Late {
    async fn execute(
        &self,
        _: Work,
        sink: Arc<AttemptSink>,
        _: CancellationToken,
    ) -> Result<Value, Failure> {
        sink.intent("pod", builds(), "pod-1", OnExit::Delete, None)?;
        say(&sink, "one");
        say(&sink, "two");
        *self.0.lock().expect("whole") = Some(sink);
        Ok(json!({}))
    }
}

#[async_trait]
impl Cleaner for Late {
    async fn remove(&self, _: &Intent) -> Result<Removal, Failure> {
        let sink = self.0.lock().expect("whole").take();
        say(&sink.expect("the attempt was made"), "late");
        Ok(Removal::Gone)
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_comes_when_its_attempt_is_over_leaves_the_log_as_it_is() {
    let (world, late) = (World::new(), Arc::new(Late::default()));
    let script = Arc::new(Script::new().step("build", &[], vec![plain()]));
    let run = world.run_on(
        &script,
        late.clone(),
        late,
        RunOptions::default(),
        Stop::new(),
    );
    run.await;
    assert_eq!(world.lines(), ["one", "two", "late"]);
}
