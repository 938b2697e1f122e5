use std::time::Duration;

use sidestep_events::{Class, Owner};
use sidestep_host::{HostConfig, Limits, PluginHost};

use crate::guest::{Guest, LOG, SLEEP, echo};
use crate::sink::{Step, config, host};

const LOOP: &str = "(loop $ever (br $ever)) unreachable";

#[tokio::test]
async fn an_endless_loop_is_cut_and_the_host_lives() {
    let host = host();
    let plugin = host.load(&Guest::new(LOOP).build()).expect("it loads");
    let mut step = Step::new();
    step.timeout = Some(Duration::from_millis(100));
    let failure = step.run(&plugin).await.expect_err("its time is over");
    assert_eq!(
        (failure.class, failure.owner),
        (Class::TimedOut, Owner::Author)
    );
    assert_eq!(failure.message, "the step did not end within 100ms");
    let next = host.load(&echo().build()).expect("it loads");
    Step::new().run(&next).await.expect("the host lives");
}

#[tokio::test]
async fn an_endless_loop_lets_others_run_on_the_same_thread() {
    let host = host();
    let plugin = host.load(&Guest::new(LOOP).build()).expect("it loads");
    let other = host.load(&echo().build()).expect("it loads");
    let looping = Step::new();
    let other_step = Step::new();
    tokio::select! {
        _ = looping.run(&plugin) => panic!("it never ends"),
        outputs = other_step.run(&other) => { outputs.expect("it has its turn"); }
    }
}

#[tokio::test]
async fn a_memory_bomb_is_refused_its_memory() {
    let guest = Guest::new(
        "(loop $more
           (br_if $more (i32.ne (memory.grow (i32.const 64)) (i32.const -1))))
         unreachable",
    );
    let plugin = host().load(&guest.build()).expect("it loads");
    let failure = Step::new().run(&plugin).await.expect_err("it is stopped");
    assert_eq!(
        (failure.class, failure.owner),
        (Class::Exhausted, Owner::Plugin)
    );
    assert_eq!(failure.code, "plugin.out-of-memory");
}

#[tokio::test]
async fn a_guest_that_wants_too_much_to_begin_with_does_not_begin() {
    let host = PluginHost::new(HostConfig {
        limits: Limits {
            memory: 64 << 10,
            ..Limits::default()
        },
        ..config()
    })
    .expect("a host");
    let plugin = host.load(&echo().build()).expect("it loads");
    let failure = Step::new().run(&plugin).await.expect_err("it is refused");
    assert_eq!(failure.code, "plugin.out-of-memory");
}

#[tokio::test]
async fn endless_recursion_is_a_failure() {
    let guest = Guest::new("(call $down (i32.const 0))").more(
        "(func $down (param i32) (result i32) (i32.add (call $down (local.get 0)) (i32.const 1)))",
    );
    let plugin = host().load(&guest.build()).expect("it loads");
    let failure = Step::new().run(&plugin).await.expect_err("it is stopped");
    assert_eq!(failure.code, "plugin.stack-overflow");
    Step::new()
        .run(&host().load(&echo().build()).expect("it loads"))
        .await
        .expect("the host lives");
}

#[tokio::test]
async fn huge_or_absent_texts_end_the_guest_not_the_host() {
    for (at, length) in [(0_u32, u32::MAX), (0, 20 << 20), (u32::MAX - 3, 8)] {
        let guest = Guest::new(&format!(
            "(call $log (i32.const 1) (i32.const {}) (i32.const {}) (i32.const 8) (i32.const 0)) unreachable",
            at.cast_signed(), length.cast_signed()
        ))
        .import(LOG)
        .more("(func $start (drop (memory.grow (i32.const 400)))) (start $start)");
        let plugin = host().load(&guest.build()).expect("it loads");
        let failure = Step::new().run(&plugin).await.expect_err("it is stopped");
        assert_eq!(failure.owner, Owner::Plugin, "{failure:?}");
        assert!(failure.code.starts_with("plugin."), "{failure:?}");
    }
}

#[tokio::test]
async fn lists_that_claim_to_be_endless_end_the_guest() {
    let guest = Guest::new(
        "(call $log (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8) (i32.const 0x0fffffff)) unreachable",
    )
    .import(LOG);
    let plugin = host().load(&guest.build()).expect("it loads");
    let failure = Step::new().run(&plugin).await.expect_err("it is stopped");
    assert_eq!(failure.owner, Owner::Plugin, "{failure:?}");
}

#[tokio::test]
async fn a_guest_that_never_stops_calling_runs_into_its_limit() {
    let mut limits = Limits::default();
    limits.step.host_calls = 50;
    let host = PluginHost::new(HostConfig { limits, ..config() }).expect("a host");
    // Sleeps for nothing until that fails, and answers with the failure.
    let guest = Guest::new(
        "(loop $again
           (call $sleep (i64.const 0) (i32.const 512))
           (br_if $again (i32.eqz (i32.load8_u (i32.const 512)))))
         (i32.const 512)",
    )
    .import(SLEEP);
    let plugin = host.load(&guest.build()).expect("it loads");
    let failure = Step::new().run(&plugin).await.expect_err("it is stopped");
    assert_eq!(failure.code, "limit.host-calls");
    assert_eq!(failure.message, "the plugin made more than 50 host calls");
}

#[tokio::test]
async fn a_flood_of_lines_ends_the_step() {
    let mut limits = Limits::default();
    limits.step.log_bytes = 1000;
    let host = PluginHost::new(HostConfig { limits, ..config() }).expect("a host");
    let guest = Guest::new(
        "(loop $again
           (call $log (i32.const 1) (i32.const 1024) (i32.const 2) (i32.const 8) (i32.const 0))
           (br $again))
         unreachable",
    )
    .import(LOG)
    .data("{}");
    let plugin = host.load(&guest.build()).expect("it loads");
    let step = Step::new();
    let failure = step.run(&plugin).await.expect_err("it is stopped");
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Exhausted, "log.full")
    );
    assert_eq!(
        failure.message,
        "the plugin logged more than 1000 bytes, the limit for one attempt"
    );
    // Two bytes a line, and its end.
    assert_eq!(step.kept.log().len(), 333);
}
