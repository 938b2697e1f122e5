//! Limits on what a run and an attempt may write.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use sidestep_engine::{AttemptSink, Ceilings, Executor, RunEnd, RunOptions, Stop, Work};
use sidestep_events::{
    Class, Envelope, Event, Exit, Failure, LogLevel, LogLine, LogSource, OnExit, Progress,
};
use tokio_util::sync::CancellationToken;

use crate::script::{If, Script, Stage, World, builds, plain, statuses};

const CEILINGS: Ceilings = Ceilings {
    journal: 256 << 10,
    logs: 256 << 10,
};

/// The act of the step `bad`. Every other step succeeds at once.
#[derive(Clone, Copy)]
enum Flood {
    Lines,
    Pods,
    Events,
    Checkpoints,
    Intents,
    Outputs,
}

#[async_trait]
impl Executor for Flood {
    async fn execute(
        &self,
        work: Work,
        sink: Arc<AttemptSink>,
        _: CancellationToken,
    ) -> Result<Value, Failure> {
        if work.step != "bad" {
            return Ok(json!({}));
        }
        // Continues beyond its limit, but far more than the limit is never written.
        for n in 0..20_000_u32 {
            match self {
                Self::Lines => sink.event(line(LogSource::Plugin)),
                Self::Pods => sink.event(line(LogSource::Pod)),
                Self::Events => sink.event(Event::Progress(Progress {
                    label: n.to_string().into(),
                    done: 1,
                    total: None,
                    unit: "".into(),
                })),
                Self::Checkpoints => sink.checkpoint(json!("x".repeat(1000)))?,
                Self::Intents => {
                    let name = format!("pod-{n}");
                    let id = sink.intent("pod", builds(), &name, OnExit::Keep, None)?;
                    sink.done(id, None, false)?;
                }
                Self::Outputs => return Ok(json!({ "x": "x".repeat(200 << 10) })),
            }
        }
        Ok(json!({}))
    }
}

fn line(source: LogSource) -> Event {
    Event::Log(LogLine {
        source,
        level: LogLevel::Info,
        message: "x".repeat(100).into(),
        end: sidestep_events::LineEnd::Feed,
        fields: std::collections::BTreeMap::new(),
        offset: None,
    })
}

async fn run(flood: Flood) -> (RunEnd, Vec<Envelope>, u64) {
    let script = Script::new()
        .step("bad", &[], vec![plain()])
        .step("next", &["bad"], vec![plain()])
        .when(If::Always);
    let script = Arc::new(script);
    let stage = Arc::new(Stage(script.clone()));
    let mut world = World::new();
    world.ceilings = CEILINGS;
    let (end, events) = world
        .run_on(
            &script,
            Arc::new(flood),
            stage,
            RunOptions::default(),
            Stop::new(),
        )
        .await;
    let run = world.runs.open(&"r1".parse().expect("an id")).expect("one");
    let size = |path: std::path::PathBuf| std::fs::metadata(path).map_or(0, |data| data.len());
    let written = size(run.path().join("journal")) + size(run.log_path("bad", 1));
    let history = run.account().expect("readable").history;
    assert!(history.finished.is_some(), "the end has room");
    assert_eq!(history.last_seq, events.len() as u64);
    (end, events, written)
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_writes_without_end_fails_and_the_next_one_succeeds() {
    for (flood, code, whose) in [
        (
            Flood::Lines,
            "log.full",
            "the step's share of the run's log files",
        ),
        (
            Flood::Pods,
            "log.full",
            "the step's share of the run's log files",
        ),
        (
            Flood::Events,
            "journal.full",
            "the step's share of the run's journal",
        ),
        (
            Flood::Checkpoints,
            "journal.full",
            "the step's share of the run's journal",
        ),
        (
            Flood::Intents,
            "journal.full",
            "the step's share of the run's journal",
        ),
        (Flood::Outputs, "journal.full", "the run's journal"),
    ] {
        let (end, events, written) = run(flood).await;
        assert_eq!(end.exit, Exit::Failed);
        assert_eq!(statuses(&events), ["bad failed", "next succeeded"]);
        let failure = events.iter().find_map(|envelope| match &envelope.event {
            Event::StepFinished(end) => end.failure.clone(),
            _ => None,
        });
        let failure = failure.expect("it failed");
        assert_eq!(
            (failure.class, failure.code.exact()),
            (Class::Exhausted, code)
        );
        assert!(failure.message.exact().starts_with(whose), "{failure:?}");
        // A share of each, and the host's own records. Some of them (the ends of intents) are
        // written after the share is used up.
        assert!(written < 160 << 10, "{code}: {written} bytes");
    }
}

/// All steps but one write at once. That one starts when they have ended.
struct Crowd(tokio::sync::Barrier);

#[async_trait]
impl Executor for Crowd {
    async fn execute(
        &self,
        work: Work,
        sink: Arc<AttemptSink>,
        _: CancellationToken,
    ) -> Result<Value, Failure> {
        let floods = work.step != "honest";
        if !floods {
            self.0.wait().await;
        }
        for n in 0..if floods { 5_000 } else { 20 } {
            sink.event(line(LogSource::Plugin));
            sink.event(Event::Progress(Progress {
                label: n.to_string().into(),
                done: 1,
                total: None,
                unit: "".into(),
            }));
        }
        if floods {
            self.0.wait().await;
        } else {
            sink.checkpoint(json!("half way"))?;
        }
        Ok(json!({ "said": "x".repeat(1000) }))
    }
}

#[tokio::test(start_paused = true)]
async fn however_many_flood_the_others_can_still_speak() {
    const FLOODS: usize = 8;
    let floods = ["a", "b", "c", "d", "e", "f", "g", "h"];
    assert_eq!(floods.len(), FLOODS);
    let script = floods.iter().fold(Script::new(), |script, id| {
        script.step(id, &[], vec![plain()])
    });
    let script = Arc::new(script.step("honest", &[], vec![plain()]));
    let stage = Arc::new(Stage(script.clone()));
    let mut world = World::new();
    world.ceilings = CEILINGS;
    let crowd = Arc::new(Crowd(tokio::sync::Barrier::new(FLOODS + 1)));
    let options = RunOptions {
        max_parallel: FLOODS + 1,
        ..RunOptions::default()
    };
    let (_, events) = world
        .run_on(&script, crowd, stage, options, Stop::new())
        .await;
    let statuses = statuses(&events);
    assert_eq!(statuses.len(), FLOODS + 1);
    for status in statuses {
        let right = status == "honest succeeded" || status.ends_with(" failed");
        assert!(right, "{status}");
    }
    let said = events.iter().filter(|event| {
        matches!(event.event, Event::Log(_))
            && event.step.as_ref().is_some_and(|s| s.exact() == "honest")
    });
    assert_eq!(said.count(), 20);
}

/// Writes one line, then waits for ever.
struct OneLine(Arc<tokio::sync::Notify>);

#[async_trait]
impl Executor for OneLine {
    async fn execute(
        &self,
        _: Work,
        sink: Arc<AttemptSink>,
        _: CancellationToken,
    ) -> Result<Value, Failure> {
        for _ in 0..3 {
            sink.event(line(LogSource::Plugin));
        }
        self.0.notified().await;
        Ok(json!({}))
    }
}

#[tokio::test]
async fn lines_that_come_together_are_journaled_before_anything_else_comes() {
    let go_on = Arc::new(tokio::sync::Notify::new());
    let script = Arc::new(Script::new().step("talks", &[], vec![plain()]));
    let stage = Arc::new(Stage(script.clone()));
    let world = World::new();
    let executor = Arc::new(OneLine(Arc::clone(&go_on)));
    let running = world.run_on(&script, executor, stage, RunOptions::default(), Stop::new());
    let watching = async {
        // The step continues only when all its lines can be read.
        loop {
            let run = world.runs.open(&"r1".parse().expect("an id"));
            if run.is_ok() && world.lines().len() == 3 {
                break;
            }
            tokio::task::yield_now().await;
        }
        go_on.notify_one();
    };
    let ((end, events), ()) = tokio::join!(running, watching);
    assert_eq!(end.exit, Exit::Success);
    let lines = events.iter().filter(|e| matches!(e.event, Event::Log(_)));
    assert_eq!(lines.count(), 3);
}
