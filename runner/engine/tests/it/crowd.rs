//! A thousand steps that all run at once, each with its own log.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use sidestep_engine::{AttemptSink, Executor, NoCleaner, RunOptions, Stop, Work};
use sidestep_events::{Event, Exit, Failure, LogLevel, LogLine, LogSource};
use tokio::sync::Barrier;
use tokio_util::sync::CancellationToken;

use crate::script::{Script, World, plain};

const STEPS: usize = 1000;
const LINES: usize = 3;

/// Writes its nonce repeatedly, each time after all others have written theirs.
struct Sayers(Barrier);

#[async_trait]
impl Executor for Sayers {
    async fn execute(
        &self,
        work: Work,
        sink: Arc<AttemptSink>,
        _: CancellationToken,
    ) -> Result<Value, Failure> {
        for line in 0..LINES {
            self.0.wait().await;
            sink.event(Event::Log(LogLine {
                source: LogSource::Pod,
                level: LogLevel::Info,
                message: format!("nonce of {} line {line}", work.instance).into(),
                end: sidestep_events::LineEnd::Feed,
                fields: BTreeMap::new(),
                offset: None,
            }));
        }
        Ok(json!({"nonce": work.instance}))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_steps_write_only_to_their_own_logs() {
    let script = (0..STEPS).fold(Script::new(), |script, n| {
        script.step(&format!("s{n}"), &[], vec![plain()])
    });
    let world = World::new();
    let options = RunOptions {
        max_parallel: STEPS,
        ..RunOptions::default()
    };
    let sayers = Arc::new(Sayers(Barrier::new(STEPS)));
    let (end, events) = world
        .run_on(
            &Arc::new(script),
            sayers,
            Arc::new(NoCleaner),
            options,
            Stop::new(),
        )
        .await;
    assert_eq!(end.exit, Exit::Success);
    for envelope in &events {
        if let (Event::Log(line), Some(instance)) = (&envelope.event, &envelope.instance) {
            assert!(
                line.message
                    .text()
                    .starts_with(&format!("nonce of {} ", instance.exact()))
            );
        }
    }
    let run = world
        .runs
        .open(&"r1".parse().expect("an id"))
        .expect("there");
    for n in 0..STEPS {
        let log = std::fs::read_to_string(run.log_path(&format!("s{n}"), 1)).expect("a log");
        let expected: String = (0..LINES)
            .map(|line| format!("nonce of s{n} line {line}\n"))
            .collect();
        assert_eq!(log, expected);
    }
}
