//! Results after an attempt's timeout do not count.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use sidestep_engine::{AttemptSink, Executor, Retry, RunOptions, Stop, Work};
use sidestep_events::{Class, Envelope, Event, Exit, Failure, Owner, Status};
use tokio_util::sync::CancellationToken;

use crate::script::{Act, Script, Stage, World, fail, once, plain, statuses};

const LIMIT: Duration = Duration::from_secs(2);

/// Answers some time after it was cancelled.
struct Tardy(Duration, Result<Value, Failure>);

#[async_trait]
impl Executor for Tardy {
    async fn execute(
        &self,
        _: Work,
        _: Arc<AttemptSink>,
        cancel: CancellationToken,
    ) -> Result<Value, Failure> {
        cancel.cancelled().await;
        tokio::time::sleep(self.0).await;
        self.1.clone()
    }
}

/// Blocks its thread, as a long call of the host would, and then answers.
struct Blocking(Duration);

#[async_trait]
impl Executor for Blocking {
    async fn execute(
        &self,
        _: Work,
        _: Arc<AttemptSink>,
        _: CancellationToken,
    ) -> Result<Value, Failure> {
        let began = std::time::Instant::now();
        while began.elapsed() < self.0 {
            std::hint::spin_loop();
        }
        Ok(json!({}))
    }
}

async fn run(executor: impl Executor + 'static, limit: Duration) -> (Exit, Vec<Envelope>) {
    let script = Script::new()
        .step("slow", &[], vec![plain()])
        .with(|node| node.timeout = Some(limit));
    let script = Arc::new(script);
    let stage = Arc::new(Stage(script.clone()));
    let options = RunOptions::default();
    let (end, events) = World::new()
        .run_on(&script, Arc::new(executor), stage, options, Stop::new())
        .await;
    (end.exit, events)
}

fn message(events: &[Envelope]) -> String {
    let failure = |envelope: &Envelope| match &envelope.event {
        Event::StepFinished(end) => end.failure.clone(),
        _ => None,
    };
    let failure = events.iter().find_map(failure).expect("it failed");
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::TimedOut, "step.timed-out")
    );
    failure.message.into_exact()
}

#[tokio::test(start_paused = true)]
async fn an_answer_within_the_grace_is_timed_out_all_the_same() {
    let (exit, events) = run(Tardy(Duration::from_secs(5), Ok(json!({}))), LIMIT).await;
    assert_eq!(exit, Exit::TimedOut);
    assert_eq!(statuses(&events), ["slow timed-out"]);
    assert_eq!(message(&events), "timed out after 2 s (ended 5 s later)");
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_plugins_own_within_the_grace_does_not_count_either() {
    let own = Failure::new(Class::Unavailable, "x.y", Owner::Cloud, "try again");
    let (exit, events) = run(Tardy(Duration::ZERO, Err(own)), LIMIT).await;
    assert_eq!(exit, Exit::TimedOut);
    assert_eq!(message(&events), "timed out after 2 s (ended 0 ms later)");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_does_not_end_says_when_it_was_stopped() {
    let (exit, events) = run(Tardy(Duration::from_hours(1), Ok(json!({}))), LIMIT).await;
    assert_eq!(exit, Exit::TimedOut);
    assert_eq!(message(&events), "timed out after 2 s (stopped 10 s later)");
}

#[tokio::test]
async fn an_answer_of_an_attempt_that_blocked_its_thread_is_judged_by_the_clock() {
    let limit = Duration::from_millis(20);
    let (exit, events) = run(Blocking(limit * 2), limit).await;
    assert_eq!(exit, Exit::TimedOut);
    let message = message(&events);
    assert!(
        message.starts_with("timed out after 20 ms (ended "),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_a_plugin_asks_for_is_cut_to_the_longest_wait_and_to_the_runs_time() {
    let asking = || {
        let Act::Fail(mut failure) = fail(Class::Unavailable, "x.y") else {
            panic!("it is a failure");
        };
        failure.retry_after_ms = Some(u64::MAX);
        Act::Fail(failure)
    };
    for (timeout, longest) in [(None, 60_000), (Some(Duration::from_secs(30)), 30_000)] {
        let script = Script::new()
            .step("build", &[], vec![asking(), plain()])
            .with(|node| {
                node.retry = Retry {
                    attempts: 2,
                    on: vec!["unavailable".into()],
                    ..Retry::default()
                };
            });
        let options = RunOptions {
            timeout,
            ..RunOptions::default()
        };
        let (end, events, _) = once(script, options).await;
        if timeout.is_none() {
            assert_eq!(end.status, Status::Succeeded);
        }
        let waits: Vec<u64> = events
            .iter()
            .filter_map(|envelope| match &envelope.event {
                Event::RetryScheduled(retry) => Some(retry.after_ms),
                _ => None,
            })
            .collect();
        assert_eq!(waits, [longest]);
    }
}
