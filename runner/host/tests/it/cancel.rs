use std::time::{Duration, Instant};

use sidestep_events::Class;
use sidestep_host::{HostConfig, Limits, PluginHost};

use crate::guest::{Guest, LOG, SLEEP, echo};
use crate::sink::{Step, config, host};

/// Returns a guest that logs a line, sleeps for an hour, and answers with how the sleep ended.
fn sleeper() -> Guest {
    Guest::new(
        "(call $log (i32.const 1) (i32.const 1024) (i32.const 2) (i32.const 8) (i32.const 0))
         (call $sleep (i64.const 3600000) (i32.const 512))
         (i32.const 512)",
    )
    .import(LOG)
    .import(SLEEP)
    .data("hi")
}

#[tokio::test]
async fn a_cancel_ends_a_sleep_at_once() {
    let plugin = host().load(&sleeper().build()).expect("it loads");
    let step = Step::new();
    let cancelling = async {
        step.kept.has(1).await;
        step.cancel.cancel();
        Instant::now()
    };
    let (result, cancelled) = tokio::join!(step.run(&plugin), cancelling);
    let failure = result.expect_err("it is cancelled");
    assert_eq!(failure.class, Class::Cancelled);
    assert_eq!(failure.message, "the step was cancelled");
    // Far below the grace period of ten seconds: the call itself returned.
    assert!(cancelled.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_guest_that_ignores_a_cancel_is_dropped_after_the_grace() {
    let host = PluginHost::new(HostConfig {
        limits: Limits {
            grace: Duration::from_millis(50),
            ..Limits::default()
        },
        ..config()
    })
    .expect("a host");
    let guest = Guest::new(
        "(call $log (i32.const 1) (i32.const 1024) (i32.const 2) (i32.const 8) (i32.const 0))
         (loop $ever (br $ever)) unreachable",
    )
    .import(LOG)
    .data("hi");
    let plugin = host.load(&guest.build()).expect("it loads");
    let step = Step::new();
    let cancelling = async {
        step.kept.has(1).await;
        step.cancel.cancel();
    };
    let (result, ()) = tokio::join!(step.run(&plugin), cancelling);
    let failure = result.expect_err("it is dropped");
    assert_eq!(failure.class, Class::Cancelled);
    assert_eq!(
        failure.message,
        "the step was cancelled, and its plugin was stopped after a grace period of 50ms"
    );
}

#[tokio::test]
async fn what_is_cancelled_before_it_begins_does_not_begin() {
    let plugin = host().load(&echo().build()).expect("it loads");
    let step = Step::new();
    step.cancel.cancel();
    assert_eq!(
        step.run(&plugin).await.expect_err("no").class,
        Class::Cancelled
    );
    assert_eq!(step.kept.events(), []);
}

#[tokio::test]
async fn a_run_can_be_dropped_at_every_await() {
    let host = host();
    let plugin = host.load(&sleeper().build()).expect("it loads");
    for polls in 0..6 {
        let step = Step::new();
        let mut run = Box::pin(step.run(&plugin));
        for _ in 0..polls {
            assert!(futures::poll!(&mut run).is_pending());
        }
        drop(run);
    }
    let next = host.load(&echo().build()).expect("it loads");
    Step::new().run(&next).await.expect("the host lives");
}

#[tokio::test]
async fn a_time_out_ends_a_blocked_call_too() {
    let plugin = host().load(&sleeper().build()).expect("it loads");
    let mut step = Step::new();
    step.timeout = Some(Duration::from_millis(30));
    let failure = step.run(&plugin).await.expect_err("its time is over");
    assert_eq!(failure.class, Class::TimedOut);
}
