use std::time::Duration;

use serde_json::json;
use sidestep_engine::{Pool, Retry, RunOptions};
use sidestep_events::{Class, Event, Exit, Failure, Owner, Status};

use crate::script::{Act, If, Script, fail, give, once, plain, statuses};

#[tokio::test(start_paused = true)]
async fn outputs_flow_along_the_graph() {
    let script = Script::new()
        .step("a", &[], vec![give(json!({"x": 1}))])
        .step("b", &[], vec![give(json!({"y": 2}))])
        .step("c", &["a", "b"], vec![give(json!({"z": 3}))]);
    let (end, events, script) = once(script, RunOptions::default()).await;
    assert_eq!((end.status, end.exit), (Status::Succeeded, Exit::Success));
    assert_eq!(end.outputs, Some(json!({"z": 3})));
    let seen = script.seen.lock().expect("whole");
    assert_eq!(seen[2].inputs, json!([{"x": 1}, {"y": 2}]));
    assert!(matches!(
        events.last().expect("events").event,
        Event::RunFinished(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_depend_runs_side_by_side_up_to_the_limit() {
    for (limit, most) in [(8, 5), (2, 2), (0, 1)] {
        let mut script = Script::new();
        for id in ["a", "b", "c", "d", "e"] {
            script = script.step(id, &[], vec![plain()]);
        }
        let options = RunOptions {
            max_parallel: limit,
            ..RunOptions::default()
        };
        let (end, events, script) = once(script, options).await;
        assert_eq!(end.exit, Exit::Success);
        assert_eq!(
            script.parallel.lock().expect("whole").1,
            most,
            "limit {limit}"
        );
        let waited = events
            .iter()
            .filter(|envelope| matches!(envelope.event, Event::StepWaiting(_)))
            .count();
        assert_eq!(waited, 5 - most, "each says once that it waits");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_skips_what_needs_it_and_nothing_else() {
    let script = Script::new()
        .step("bad", &[], vec![fail(Class::Failed, "pod.out-of-memory")])
        .step("after", &["bad"], vec![plain()])
        .step("later", &["after"], vec![plain()])
        .step("other", &[], vec![plain()])
        .step("tell", &["bad"], vec![plain()])
        .when(If::Always);
    let (end, events, _) = once(script, RunOptions::default()).await;
    assert_eq!((end.status, end.exit), (Status::Failed, Exit::Failed));
    assert_eq!(end.outputs, None);
    let mut all = statuses(&events);
    all.sort();
    assert_eq!(
        all,
        [
            "after skipped",
            "bad failed",
            "later skipped",
            "other succeeded",
            "tell succeeded"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_need_skipped_by_its_own_condition_is_satisfied() {
    let script = Script::new()
        .step("optional", &[], vec![plain()])
        .when(If::Never)
        .step("after", &["optional"], vec![plain()]);
    let (end, events, _) = once(script, RunOptions::default()).await;
    assert_eq!(end.exit, Exit::Success);
    assert_eq!(statuses(&events), ["optional skipped", "after succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_retry_names_is_tried_again() {
    let script = Script::new()
        .step(
            "build",
            &[],
            vec![
                fail(Class::Failed, "pod.evicted"),
                fail(Class::Unavailable, "x"),
                plain(),
            ],
        )
        .with(|node| {
            node.retry = Retry {
                attempts: 3,
                on: vec!["unavailable".into(), "pod.evicted".into()],
                ..Retry::default()
            };
        });
    let (end, events, script) = once(script, RunOptions::default()).await;
    assert_eq!(end.exit, Exit::Success);
    assert_eq!(script.attempts(), ["build.1.1", "build.2.1", "build.3.1"]);
    let reasons: Vec<_> = events
        .iter()
        .filter_map(|envelope| match &envelope.event {
            Event::RetryScheduled(retry) => Some((envelope.attempt, retry.because.exact())),
            _ => None,
        })
        .collect();
    assert_eq!(
        reasons,
        [(Some(2), "pod.evicted"), (Some(3), "unavailable")]
    );
}

#[tokio::test(start_paused = true)]
async fn other_failures_and_too_many_are_not() {
    for (on, runs) in [("unavailable", 1), ("pod", 2)] {
        let script = Script::new()
            .step("build", &[], vec![fail(Class::Failed, "pod.evicted")])
            .with(|node| {
                node.retry = Retry {
                    attempts: 2,
                    on: vec![on.into()],
                    ..Retry::default()
                };
            });
        let (end, _, script) = once(script, RunOptions::default()).await;
        assert_eq!(
            end.exit,
            Exit::Unavailable,
            "an eviction is the infrastructure's"
        );
        assert_eq!(script.attempts().len(), runs);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_with_its_time_even_if_it_does_not_listen() {
    for act in [Act::Hang, Act::Ignore] {
        let script = Script::new().step("slow", &[], vec![act]).with(|node| {
            node.timeout = Some(Duration::from_mins(1));
        });
        let (end, events, _) = once(script, RunOptions::default()).await;
        assert_eq!((end.status, end.exit), (Status::Failed, Exit::TimedOut));
        assert_eq!(statuses(&events), ["slow timed-out"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_run_ends_with_its_time_and_finally_still_runs() {
    let script = Script::new()
        .step("slow", &[], vec![Act::Ignore])
        .step("next", &["slow"], vec![plain()])
        .step("last", &["slow"], vec![plain()])
        .when(If::Always)
        .with(|node| node.finally = true);
    let options = RunOptions {
        timeout: Some(Duration::from_mins(2)),
        ..RunOptions::default()
    };
    let (end, events, _) = once(script, options).await;
    assert_eq!((end.status, end.exit), (Status::TimedOut, Exit::TimedOut));
    assert_eq!(
        statuses(&events),
        ["slow cancelled", "next skipped", "last succeeded"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_our_bug_and_leaves_the_others_alone() {
    let script = Script::new()
        .step("bad", &[], vec![Act::Panic])
        .step("good", &[], vec![plain()]);
    let (end, events, _) = once(script, RunOptions::default()).await;
    assert_eq!(end.exit, Exit::Bug);
    assert_eq!(statuses(&events), ["bad failed", "good succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn the_gravest_failure_gives_the_exit_code() {
    let script = Script::new()
        .step("a", &[], vec![fail(Class::Unavailable, "x")])
        .step(
            "b",
            &[],
            vec![fail(Class::Failed, "identity.binding-missing")],
        )
        .step("c", &[], vec![fail(Class::Failed, "kaniko.run-failed")]);
    assert_eq!(
        once(script, RunOptions::default()).await.0.exit,
        Exit::Denied
    );
}

#[tokio::test(start_paused = true)]
async fn a_matrix_that_fails_fast_cancels_its_others() {
    let pool = |node: &mut sidestep_engine::Node| {
        node.pool = Some(Pool {
            name: "build".into(),
            max_parallel: Some(2),
            fail_fast: true,
        });
    };
    let script = Script::new()
        .step("build[n=1]", &[], vec![fail(Class::Failed, "x")])
        .with(pool)
        .step("build[n=2]", &[], vec![Act::Hang])
        .with(pool)
        .step("build[n=3]", &[], vec![plain()])
        .with(pool)
        .step("other", &[], vec![plain()]);
    let (end, events, script) = once(script, RunOptions::default()).await;
    assert_eq!(end.exit, Exit::Failed);
    let mut all = statuses(&events);
    all.sort();
    assert_eq!(
        all,
        [
            "build[n=1] failed",
            "build[n=2] cancelled",
            "build[n=3] cancelled",
            "other succeeded"
        ]
    );
    assert!(!script.attempts().contains(&"build[n=3].1.1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_an_attempt_left_is_removed_before_the_next() {
    let broken = Failure::new(Class::Unavailable, "x", Owner::Cluster, "gone");
    let script = Script::new()
        .step(
            "build",
            &[],
            vec![
                Act::Make("pod-1", Box::new(Act::Fail(broken))),
                Act::Make("pod-2", Box::new(plain())),
            ],
        )
        .with(|node| {
            node.retry = Retry {
                attempts: 2,
                on: vec!["unavailable".into()],
                ..Retry::default()
            };
        });
    let (end, events, script) = once(script, RunOptions::default()).await;
    assert_eq!(end.exit, Exit::Success);
    assert_eq!(*script.removed.lock().expect("whole"), ["pod-1", "pod-2"]);
    let order: Vec<_> = events
        .iter()
        .filter_map(|envelope| match &envelope.event {
            Event::CleanedUp(cleaned) => Some(cleaned.name.exact().to_owned()),
            Event::AttemptStarted(_) => Some(format!("attempt {}", envelope.attempt?)),
            _ => None,
        })
        .collect();
    assert_eq!(
        order,
        ["attempt 1", "builds/pod-1", "attempt 2", "builds/pod-2"]
    );
}
