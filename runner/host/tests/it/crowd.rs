//! A thousand steps at once, and the memory that one step leaves for the next.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};

use serde_json::{Value, json};
use sidestep_capabilities::{Secret, Secrets, Services};
use sidestep_events::{Class, Owner};
use sidestep_host::{HostConfig, PluginHost};
use sidestep_policy::Capability;

use crate::guest::{Guest, LOG, SLEEP, echo};
use crate::sink::{Step, config, granted, host};

const STEPS: usize = 1000;
const LINES: usize = 10;
/// The maximum memory of one waiting step, in KiB.
const EACH: usize = 1024;

/// Returns this process's resident memory, in KiB (proc(5), `VmRSS`).
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.expect("a number").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_steps_at_once_keep_their_logs_apart_and_can_be_cancelled() {
    // Writes its nonce, and waits for an hour.
    let guest = Guest::new(&format!(
        "(local $i i32)
         (loop $again
           (call $log (i32.const 1) (local.get $in) (local.get $len) (i32.const 8) (i32.const 0))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const {LINES}))))
         (call $sleep (i64.const 3600000) (i32.const 512))
         (i32.const 512)"
    ))
    .import(LOG)
    .import(SLEEP);
    let plugin = host().load(&guest.build()).expect("it loads");
    let steps: Vec<Step> = (0..STEPS)
        .map(|n| {
            let mut step = Step::new();
            step.inputs = json!({"nonce": format!("{n}-{}", n * 7919)});
            step
        })
        .collect();
    let before = resident();
    let running: Vec<_> = steps
        .iter()
        .map(|step| {
            let (step, plugin) = (step.clone(), plugin.clone());
            tokio::spawn(async move { step.run(&plugin).await })
        })
        .collect();
    for step in &steps {
        step.kept.has(LINES).await;
    }
    // All of them are running now.
    let taken = resident().saturating_sub(before);
    assert!(taken < STEPS * EACH, "{taken} KiB");
    for step in &steps {
        step.cancel.cancel();
    }
    for (step, running) in steps.iter().zip(running) {
        let failure = running
            .await
            .expect("no panic")
            .expect_err("it is cancelled");
        assert_eq!(failure.class, Class::Cancelled);
        let (log, said) = (step.kept.log(), step.inputs.to_string());
        assert_eq!(log.len(), LINES);
        assert!(log.iter().all(|line| *line == said), "{log:?}");
    }
}

#[tokio::test]
async fn nothing_of_one_plugin_s_memory_is_in_another_s() {
    // Fills eight megabytes with a canary.
    let one = Guest::new(
        "(local $at i32)
         (drop (memory.grow (i32.const 126)))
         (local.set $at (i32.const 131072))
         (loop $fill
           (i64.store (local.get $at) (i64.const 0x5ec2e75ec2e75ec2))
           (local.set $at (i32.add (local.get $at) (i32.const 8)))
           (br_if $fill (i32.lt_u (local.get $at) (i32.const 8388608))))
         (call $ok (i32.const 1024) (i32.const 2))",
    )
    .data("{}");
    // Allocates as much, and gives up if it is not empty.
    let other = Guest::new(
        "(local $at i32)
         (drop (memory.grow (i32.const 126)))
         (local.set $at (i32.const 131072))
         (loop $look
           (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
           (local.set $at (i32.add (local.get $at) (i32.const 8)))
           (br_if $look (i32.lt_u (local.get $at) (i32.const 8388608))))
         (call $ok (i32.const 1024) (i32.const 2))",
    )
    .data("{}");
    let host = host();
    let one = host.load(&one.build()).expect("it loads");
    let other = host.load(&other.build()).expect("it loads");
    for _ in 0..8 {
        Step::new().run(&one).await.expect("it fills its own");
        let outputs: Value = Step::new().run(&other).await.expect("its memory is clean");
        assert_eq!(outputs, json!({}));
    }
}

#[tokio::test]
async fn a_guest_that_hoards_handles_is_stopped_and_the_host_lives() {
    let guest = Guest::new(
        "(loop $again
           (call $get (i32.const 1024) (i32.const 4) (i32.const 512))
           (br_if $again (i32.eqz (i32.load8_u (i32.const 512)))))
         (i32.const 512)",
    )
    .import(r#"(import "sidestep:secrets/names@0.1.0" "get" (func $get (param i32 i32 i32)))"#)
    .data("hook")
    .requests("secrets");
    let host = host();
    let plugin = host.load(&guest.build()).expect("it loads");
    let mut step = Step::new();
    step.scopes = granted(Capability::Secrets, &json!(["hook"]));
    let secrets = BTreeMap::from([("hook".to_owned(), Secret::new("hunter22"))]);
    step.services = Arc::new(Services::default().with(Arc::new(Secrets(secrets))));
    let failure = step.run(&plugin).await.expect_err("it is stopped");
    assert_eq!(failure.owner, Owner::Plugin, "{failure:?}");
    let next = host.load(&echo().build()).expect("it loads");
    Step::new().run(&next).await.expect("the host lives");
}

#[tokio::test]
async fn outputs_that_nest_without_end_are_refused() {
    // A million `[` characters.
    let guest = Guest::new(
        "(drop (memory.grow (i32.const 20)))
         (memory.fill (i32.const 131072) (i32.const 0x5b) (i32.const 1000000))
         (call $ok (i32.const 131072) (i32.const 1000000))",
    );
    let plugin = host().load(&guest.build()).expect("it loads");
    let failure = Step::new().run(&plugin).await.expect_err("it is refused");
    assert_eq!(failure.code, "output.not-json");
}

#[tokio::test]
async fn many_runners_share_one_cache() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("aot");
    let component = echo().build();
    let runners = 6;
    let barrier = Barrier::new(runners);
    let plugins: Vec<_> = std::thread::scope(|scope| {
        let load = || {
            let host = PluginHost::new(HostConfig {
                cache_dir: Some(cache.clone()),
                ..config()
            })
            .expect("a host");
            barrier.wait();
            host.load(&component).expect("it loads")
        };
        let threads: Vec<_> = (0..runners).map(|_| scope.spawn(load)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    for plugin in &plugins {
        Step::new().run(plugin).await.expect("it runs");
    }
    let left = std::fs::read_dir(&cache).expect("made").count();
    assert_eq!(left, 1, "one entry, and nothing half written");
}
