//! Calls through the gate, and their records.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use sidestep_events::{Class, Done, Event, Failure, Foreign, IntentId, Location, OnExit, Owner};
use sidestep_gate::{
    Gate, NewIntent, NotCreated, Priced, SIDE_BY_SIDE, StepContext, StepLimits, functions,
};
use sidestep_gate_testing::{Kept, Record, step};
use sidestep_policy::Capability;
use sidestep_policy::storage::StorageCall;

const CREATE: StorageCall<'_> = StorageCall {
    bucket: "contexts",
    object: Some("api/x"),
    action: "create",
};

const PUT: Priced = functions::storage::STAT;

fn limits(host_calls: u64) -> StepLimits {
    StepLimits {
        host_calls,
        ..StepLimits::default()
    }
}

fn gate() -> (Gate, Arc<Kept>, Arc<StepContext>) {
    let granted = json!([{"bucket": "contexts", "prefix": "api/", "actions": ["create"]}]);
    let (step, kept) = step(Capability::Storage, &granted);
    (Gate::new(Arc::clone(&step), &limits(10)), kept, step)
}

fn intent() -> NewIntent {
    NewIntent {
        kind: "object".to_owned(),
        location: Location::Bucket {
            bucket: "contexts".to_owned(),
        },
        name: "api/x".to_owned(),
        on_exit: OnExit::Keep,
        expiry: None,
    }
}

#[tokio::test]
async fn an_intent_comes_before_the_work_and_its_end_after() {
    let (gate, kept, _) = gate();
    let work = async {
        assert_eq!(kept.records(), [Record::Intent(intent())]);
        Ok(("value", "17".to_owned()))
    };
    let value = gate.call(PUT, &CREATE).create(intent(), work).await;
    assert_eq!(value, Ok("value"));
    let records = kept.records();
    let done = Done {
        intent: IntentId(1),
        id: Some("17".to_owned()),
        removed: false,
    };
    assert_eq!(records[1], Record::Done(done));
    assert_eq!(kept.calls()[0].code, None);
}

#[tokio::test]
async fn an_intent_stays_open_unless_nothing_was_made() {
    let certainly: fn(Failure) -> NotCreated = NotCreated::certainly;
    let rows = [
        (Class::Denied, certainly, true),
        (Class::Denied, NotCreated::perhaps, false),
        (Class::Unavailable, NotCreated::perhaps, false),
    ];
    for (class, known, closed) in rows {
        let (gate, kept, _) = gate();
        let work = async { Err(known(Failure::new(class, "x.y", Owner::Cloud, "no"))) };
        let failure = gate
            .call(PUT, &CREATE)
            .create::<()>(intent(), work)
            .await
            .expect_err("it fails");
        assert_eq!(failure.class, class);
        let done = kept
            .records()
            .iter()
            .any(|record| matches!(record, Record::Done(done) if done.id.is_none()));
        assert_eq!(done, closed, "{class}");
        assert_eq!(
            kept.calls()[0].code.as_ref().map(Foreign::exact),
            Some("x.y")
        );
    }
}

#[tokio::test]
async fn what_is_refused_is_neither_journaled_nor_done() {
    let (gate, kept, _) = gate();
    let other = StorageCall {
        bucket: "other",
        ..CREATE
    };
    let failure = gate
        .call(PUT, &other)
        .create::<()>(intent(), async { panic!("it must not be made") })
        .await
        .expect_err("it is refused");
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Refused, "grant.scope")
    );
    let [Record::Event(Event::HostCall(call))] = &kept.records()[..] else {
        panic!("one record");
    };
    assert!(!call.allowed);
    assert_eq!(
        (call.capability.exact(), call.function.exact()),
        ("storage", "stat")
    );
}

#[tokio::test]
async fn after_a_cancel_only_tidying_up_is_done() {
    let (gate, kept, step) = gate();
    step.cancel.cancel();
    let run = gate.call(PUT, &CREATE).run(async { Ok(1) }).await;
    assert_eq!(run, Ok(1));
    let wait = gate.call(PUT, &CREATE).wait(async { Ok(1) }).await;
    assert_eq!(wait.expect_err("no").class, Class::Cancelled);
    let create = gate
        .call(PUT, &CREATE)
        .create::<()>(intent(), async { panic!("it must not be made") })
        .await;
    assert_eq!(create.expect_err("no").class, Class::Cancelled);
    assert!(!kept.records().contains(&Record::Intent(intent())));
}

#[tokio::test]
async fn a_call_that_is_under_way_ends_with_the_cancel_and_leaves_its_intent() {
    let (gate, kept, step) = gate();
    let work = async {
        step.cancel.cancel();
        std::future::pending::<Result<((), String), NotCreated>>().await
    };
    let failure = gate
        .call(PUT, &CREATE)
        .create(intent(), work)
        .await
        .expect_err("it is cancelled");
    assert_eq!(failure.class, Class::Cancelled);
    assert!(!kept.records().iter().any(|r| matches!(r, Record::Done(_))));
}

#[tokio::test]
async fn a_call_that_is_dropped_is_recorded_too() {
    let (gate, kept, _) = gate();
    let mut call = Box::pin(
        gate.call(PUT, &CREATE)
            .run(std::future::pending::<Result<(), Failure>>()),
    );
    assert!(futures::poll!(&mut call).is_pending());
    drop(call);
    assert_eq!(
        kept.calls()[0].code.as_ref().map(Foreign::exact),
        Some("call.interrupted")
    );
}

#[tokio::test]
async fn failures_and_records_are_masked() {
    let (gate, kept, step) = gate();
    step.masks.add("api/x").expect("maskable");
    let work = async { Err(Failure::new(Class::Failed, "x.y", Owner::Cloud, "no api/x")) };
    let failure = gate
        .call(PUT, &CREATE)
        .run::<()>(work)
        .await
        .expect_err("no");
    assert_eq!(failure.message, "no ***");
    assert!(
        !kept.calls()[0].target.contains("api/x"),
        "{:?}",
        kept.calls()
    );
}

#[tokio::test]
async fn nothing_is_created_under_a_name_that_holds_a_secret() {
    for secret in ["api/x", "contexts"] {
        let (gate, kept, step) = gate();
        step.masks.add(secret).expect("maskable");
        let failure = gate
            .call(PUT, &CREATE)
            .create::<()>(intent(), async { panic!("it must not be made") })
            .await
            .expect_err("it is refused");
        assert_eq!(failure.code, "name.secret");
        let [Record::Event(Event::HostCall(_))] = &kept.records()[..] else {
            panic!("no intent: {:?}", kept.records());
        };
    }
}

#[tokio::test]
async fn items_are_worked_on_side_by_side_and_answered_in_order() {
    let (gate, ..) = gate();
    let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
    let answers = gate
        .each((0..100).collect(), async |_, item: u32| {
            most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            now.fetch_sub(1, Ordering::Relaxed);
            Ok(item.to_string())
        })
        .await;
    let expected: Vec<_> = (0..100).map(|item: u32| Ok(item.to_string())).collect();
    assert_eq!(answers, expected);
    assert_eq!(most.into_inner(), SIDE_BY_SIDE as u64);
}

#[tokio::test]
async fn what_is_granted_may_be_refused_for_another_reason_and_what_is_not_is_said_first() {
    let wrong = || Some(Failure::bug("wrong").with_detail("x", 1));
    let other = StorageCall {
        bucket: "other",
        ..CREATE
    };
    for (request, code) in [
        (CREATE, Failure::bug("").code),
        (other, "grant.scope".into()),
    ] {
        let (gate, kept, _) = gate();
        let failure = gate
            .call(PUT, &request)
            .and_unless(wrong())
            .create::<()>(intent(), async { panic!("it must not be made") })
            .await
            .expect_err("it is refused");
        assert_eq!(failure.code, code);
        let [Record::Event(Event::HostCall(call))] = &kept.records()[..] else {
            panic!("one record");
        };
        assert!(!call.allowed);
    }
}

#[tokio::test]
async fn refused_calls_count_and_of_those_too_many_one_is_recorded() {
    let granted = json!([{"bucket": "contexts", "prefix": "api/", "actions": ["create"]}]);
    let (step, kept) = step(Capability::Storage, &granted);
    let gate = Gate::new(step, &limits(2));
    let other = StorageCall {
        bucket: "other",
        ..CREATE
    };
    for code in [
        "grant.scope",
        "grant.scope",
        "limit.host-calls",
        "limit.host-calls",
    ] {
        let call = gate.call(PUT, &other).run::<()>(async { panic!("no") });
        assert_eq!(call.await.expect_err("it is refused").code, code);
    }
    assert_eq!(kept.calls().len(), 3);
}

/// Reads this many bytes for each item of a list, each with a price of 8 MiB. Returns the number of
/// answers, and the codes of the failures.
async fn read_all(items: usize, bytes: usize) -> (usize, Vec<String>) {
    let granted = json!([{"bucket": "contexts", "actions": ["create"]}]);
    let (step, _) = step(Capability::Storage, &granted);
    let gate = Gate::new(step, &limits(1_000_000));
    let read = async |gate: Arc<Gate>, ()| {
        let call = gate.call(functions::storage::READ.of(4_u64 << 20), &CREATE);
        call.run(async {
            tokio::task::yield_now().await;
            Ok(vec![0_u8; bytes])
        })
        .await
    };
    let answers = gate.each(vec![(); items], read).await;
    let after = gate
        .enter(functions::storage::READ.of(32_u64 << 20))
        .await
        .map(drop);
    assert_eq!(after, Ok(()), "the memory is given back with the list");
    let codes = answers.iter().filter_map(|answer| answer.as_ref().err());
    let codes = codes
        .map(|failure| failure.code.exact().to_owned())
        .collect();
    (
        answers.iter().filter(|answer| answer.is_ok()).count(),
        codes,
    )
}

#[tokio::test]
async fn the_answers_of_a_list_count_together_and_what_has_no_room_fails() {
    let (read, codes) = read_all(40, 4 << 20).await;
    assert!(
        (13..=16).contains(&read),
        "{read} answers of 4 MiB in 64 MiB"
    );
    assert_eq!(read + codes.len(), 40);
    assert!(
        codes.iter().all(|code| code == "limit.host-memory"),
        "{codes:?}"
    );
}

#[tokio::test]
async fn a_list_of_small_answers_waits_for_room_and_has_all_of_them() {
    let (read, codes) = read_all(5_000, 1 << 10).await;
    assert_eq!((read, codes), (5_000, Vec::new()));
}
