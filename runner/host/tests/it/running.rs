use serde_json::{Value, json};
use sidestep_events::{Class, Event, LogLevel, LogSource, Owner};

use crate::guest::{Guest, LOG, PANICKED, echo};
use crate::sink::{Step, host};

#[tokio::test]
async fn a_guest_runs_says_something_and_answers() {
    let plugin = host().load(&echo().build()).expect("it loads");
    assert_eq!(plugin.manifest().name, "guest");
    let mut step = Step::new();
    step.inputs = json!({"a": 1});
    assert_eq!(step.run(&plugin).await.expect("it answers"), step.inputs);
    let events = step.kept.events();
    let [Event::Log(line)] = &events[..] else {
        panic!("one line: {events:?}");
    };
    assert_eq!(line.message, r#"{"a":1}"#);
    assert_eq!(
        (line.level, line.source),
        (LogLevel::Info, LogSource::Plugin)
    );
}

#[tokio::test]
async fn checking_finds_nothing_by_default() {
    let plugin = host().load(&echo().build()).expect("it loads");
    let found = plugin
        .check(Step::new().incarnation())
        .await
        .expect("it answers");
    assert_eq!(found, []);
}

#[tokio::test]
async fn a_panic_s_message_and_place_come_through_masked() {
    let guest = Guest::new(
        "(call $panicked (i32.const 1024) (i32.const 17) (i32.const 1041) (i32.const 12)) unreachable",
    )
    .import(PANICKED)
    .data("no such hunter22src/lib.rs:7:5");
    let plugin = host().load(&guest.build()).expect("it loads");
    let step = Step::new();
    step.masks.add("hunter22").expect("maskable");
    let failure = step.run(&plugin).await.expect_err("it panics");
    assert_eq!(failure.code, "plugin.panicked");
    assert_eq!(
        (failure.class, failure.owner),
        (Class::Failed, Owner::Plugin)
    );
    assert!(
        failure.message.starts_with("the plugin panicked at "),
        "{failure}"
    );
    assert!(failure.message.contains("no such ***"), "{failure}");
    let all = serde_json::to_string(&failure).expect("json");
    assert!(!all.contains("hunter22"), "{all}");
}

#[tokio::test]
async fn an_abort_without_a_message_is_said() {
    let plugin = host()
        .load(&Guest::new("unreachable").build())
        .expect("it loads");
    let failure = Step::new().run(&plugin).await.expect_err("it aborts");
    assert_eq!(failure.code, "plugin.aborted");
    assert_eq!(failure.message, "the plugin aborted without a message");
}

#[tokio::test]
async fn amounts_that_come_too_fast_are_thinned_and_states_are_not() {
    // A hundred progress updates for one label, directly followed by a state that may last for
    // hours.
    let guest = Guest::new(
        "(local $i i32)
         (loop $again
           (call $progress (i32.const 1024) (i32.const 9) (i64.extend_i32_u (local.get $i))
             (i32.const 0) (i64.const 0) (i32.const 1024) (i32.const 0))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const 100))))
         (call $progress (i32.const 1033) (i32.const 7) (i64.const 0)
           (i32.const 0) (i64.const 0) (i32.const 1024) (i32.const 0))
         (call $ok (i32.const 1040) (i32.const 2))",
    )
    .import(
        r#"(import "sidestep:step/runtime@0.1.0" "progress"
            (func $progress (param i32 i32 i64 i32 i64 i32 i32)))"#,
    )
    .data("uploadingrunning{}");
    let plugin = host().load(&guest.build()).expect("it loads");
    let step = Step::new();
    step.run(&plugin).await.expect("it answers");
    let labels: Vec<String> = step
        .kept
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Progress(progress) => Some(progress.label.into_exact()),
            _ => None,
        })
        .collect();
    assert!(labels.len() < 50, "{} reports", labels.len());
    assert_eq!(labels.last().map(String::as_str), Some("running"));
}

#[tokio::test]
async fn an_output_with_a_secret_fails_the_step() {
    let plugin = host().load(&echo().build()).expect("it loads");
    for (inputs, place) in [
        (json!({"token": "x hunter22 y"}), "/token"),
        (json!({"deep": [{"b": "aHVudGVyMjI="}]}), "/deep/0/b"),
    ] {
        let mut step = Step::new();
        step.masks.add("hunter22").expect("maskable");
        step.inputs = inputs;
        let failure = step.run(&plugin).await.expect_err("it is refused");
        assert_eq!(failure.code, "output.secret");
        assert_eq!(
            failure.message,
            format!("the output at `{place}` holds a secret, so the step has no outputs")
        );
        assert!(!step.kept.log().concat().contains("hunter22"));
    }
}

#[tokio::test]
async fn outputs_are_held_to_the_plugin_s_own_schema() {
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["uri"],
        "properties": {
            "uri": {"type": "string", "pattern": "^gs://"},
            "files": {"type": ["integer", "null"]},
        },
    });
    let plugin = host()
        .load(&echo().outputs(schema).build())
        .expect("it loads");
    let ran = async |outputs: Value| {
        let mut step = Step::new();
        step.inputs = outputs;
        step.run(&plugin).await
    };
    let right = json!({"uri": "gs://b/o", "files": null});
    assert_eq!(ran(right.clone()).await, Ok(right));
    for (outputs, said) in [
        (json!({}), "`uri` is missing"),
        (json!({"uri": 1}), "uri: this is not of type"),
        (
            json!({"uri": "gs://b/o", "more": 1}),
            "`more` is not known here",
        ),
        (
            json!({"uri": "file:///etc"}),
            "uri: this does not match ^gs://",
        ),
    ] {
        let failure = ran(outputs.clone()).await.expect_err("it is refused");
        assert_eq!(failure.code, "plugin.bad-outputs", "{outputs}");
        assert_eq!(
            (failure.class, failure.owner),
            (Class::Failed, Owner::Plugin)
        );
        assert!(failure.message.contains(said), "{failure}");
        assert!(
            !failure.message.contains("/etc"),
            "no value is shown: {failure}"
        );
    }
}

#[tokio::test]
async fn a_schema_that_can_t_be_used_is_the_plugin_s_failure() {
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/x"}}});
    let plugin = host()
        .load(&echo().outputs(schema).build())
        .expect("it loads");
    let mut step = Step::new();
    step.inputs = json!({"a": 1});
    let failure = step
        .run(&plugin)
        .await
        .expect_err("nothing is fetched for it");
    assert_eq!(failure.code, "plugin.bad-outputs");
}

#[tokio::test]
async fn outputs_that_are_no_object_are_refused() {
    for (text, code) in [
        ("[1]", "output.not-json"),
        ("{", "output.not-json"),
        ("", "output.not-json"),
    ] {
        let guest = Guest::new(&format!(
            "(call $ok (i32.const 1024) (i32.const {}))",
            text.len()
        ));
        let plugin = host().load(&guest.data(text).build()).expect("it loads");
        assert_eq!(
            Step::new().run(&plugin).await.expect_err("refused").code,
            code,
            "{text}"
        );
    }
    let guest = Guest::new("(call $ok (i32.const 131072) (i32.const 1100000))")
        .more("(func $start (drop (memory.grow (i32.const 20)))) (start $start)");
    let plugin = host().load(&guest.build()).expect("it loads");
    let failure = Step::new().run(&plugin).await.expect_err("refused");
    assert_eq!(failure.code, "output.too-large");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_incarnations_keep_their_logs_apart() {
    let guest = Guest::new(
        "(local $i i32)
         (loop $again
           (call $log (i32.const 1) (local.get $in) (local.get $len) (i32.const 8) (i32.const 0))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const 20))))
         (call $ok (local.get $in) (local.get $len))",
    )
    .import(LOG);
    let plugin = host().load(&guest.build()).expect("it loads");
    let steps: Vec<Step> = (0..100)
        .map(|n| {
            let mut step = Step::new();
            step.inputs = json!({"nonce": n});
            step
        })
        .collect();
    let running: Vec<_> = steps
        .iter()
        .map(|step| {
            let (step, plugin) = (step.clone(), plugin.clone());
            tokio::spawn(async move { step.run(&plugin).await })
        })
        .collect();
    for (step, running) in steps.iter().zip(running) {
        let outputs = running.await.expect("no panic").expect("it answers");
        assert_eq!(outputs, step.inputs);
        let (log, said) = (step.kept.log(), step.inputs.to_string());
        assert_eq!(log.len(), 20);
        assert!(log.iter().all(|line| *line == said), "{log:?}");
    }
}

#[tokio::test]
async fn a_store_s_memory_is_nobody_else_s() {
    // Leaves a canary where the next guest reads. A fresh Store has zeros there.
    let guest = Guest::new(
        "(local $was i32)
         (local.set $was (i32.load (i32.const 100000)))
         (i32.store (i32.const 100000) (i32.const 0x5ec2e7))
         (if (local.get $was) (then unreachable))
         (call $ok (i32.const 1024) (i32.const 2))",
    )
    .data("{}");
    let plugin = host().load(&guest.build()).expect("it loads");
    for _ in 0..50 {
        let outputs: Value = Step::new().run(&plugin).await.expect("its memory is clean");
        assert_eq!(outputs, json!({}));
    }
}
