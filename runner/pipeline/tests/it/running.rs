use serde_json::{Value, json};
use sidestep_events::Status;
use sidestep_pipeline::RunState;

use crate::fixtures::{evaluator, lines, planned};
use crate::good::good;

fn outputs(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().expect("a map")
}

#[test]
fn inputs_are_evaluated_when_what_they_read_is_there() {
    let plan = good();
    let mut state = RunState::new(&plan, &evaluator());
    let context = plan.instance("context").expect("context");
    assert!(context.condition(&state).expect("evaluates").run);
    assert_eq!(
        context.inputs(&state).expect("evaluates"),
        json!({ "path": ".", "bucket": "b", "prefix": "contexts/r1" })
    );
    let build = plan.instance("build").expect("build");
    let early = build
        .inputs(&state)
        .expect_err("the context is not there yet");
    assert_eq!(early.code, "input.wrong");
    state.set_outputs(
        "context",
        Status::Succeeded,
        outputs(json!({ "uri": "gs://b/x", "files": 2 })),
    );
    assert!(build.condition(&state).expect("evaluates").run);
    let inputs = build.inputs(&state).expect("evaluates");
    assert_eq!(
        (&inputs["context"], &inputs["serviceAccount"]),
        (&json!("gs://b/x"), &json!("kaniko"))
    );
    state.set_outputs(
        "build",
        Status::Succeeded,
        outputs(json!({ "image": "i@sha256:x" })),
    );
    assert_eq!(
        plan.outputs(&state).expect("evaluates")["image"],
        "i@sha256:x"
    );
}

#[test]
fn a_failure_skips_what_needs_it_and_runs_what_asks_for_it() {
    let plan = good();
    let mut state = RunState::new(&plan, &evaluator());
    state.set("context", Status::Failed);
    let build = plan
        .instance("build")
        .expect("build")
        .condition(&state)
        .expect("evaluates");
    assert_eq!((build.run, build.because_of_failure), (false, true));
    state.set_skipped("build", build.because_of_failure);
    let notify = plan.instance("notify").expect("notify");
    assert!(notify.condition(&state).expect("evaluates").run);
    assert_eq!(
        notify.inputs(&state).expect("evaluates"),
        json!({ "status": "skipped" })
    );
}

#[test]
fn conditions_say_what_they_saw() {
    let text = |condition: &str| {
        format!(
            "version: 1\nname: x\ninputs: {{ go: {{ type: boolean }} }}\nsteps:\n  a: {{ uses: sidestep/pod-run, with: {{ script: x }}, if: inputs.go }}\n  b: {{ uses: sidestep/pod-run, with: {{ script: x }}, needs: [a], if: \"{condition}\" }}\nfinally:\n  f: {{ uses: sidestep/pod-run, with: {{ script: x }} }}\n"
        )
    };
    let plan = planned(&text("steps.a.status == 'skipped'"), json!({ "go": false }))
        .unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    let mut state = RunState::new(&plan, &evaluator());
    let a = plan
        .instance("a")
        .expect("a")
        .condition(&state)
        .expect("evaluates");
    assert_eq!((a.run, a.because_of_failure), (false, false));
    assert_eq!(a.values["inputs.go"], json!(false));
    state.set_skipped("a", false);
    let b = plan
        .instance("b")
        .expect("b")
        .condition(&state)
        .expect("evaluates");
    assert!(
        b.run,
        "a need that its own `if` skipped counts as satisfied"
    );
    assert_eq!(b.values["steps.a.status"], json!("skipped"));

    let table = [
        ("success()", Status::Failed, false, true),
        ("failure()", Status::Failed, true, false),
        ("failure()", Status::Succeeded, false, false),
        ("always()", Status::Cancelled, true, false),
        ("inputs.go", Status::TimedOut, false, true),
        ("!success()", Status::Failed, true, false),
        ("success() || failure()", Status::Failed, true, false),
        ("cancelled()", Status::Failed, false, false),
    ];
    for (condition, status, run, because) in table {
        let plan = planned(&text(condition), json!({ "go": true })).expect(condition);
        let mut state = RunState::new(&plan, &evaluator());
        state.set("a", status);
        let b = plan
            .instance("b")
            .expect("b")
            .condition(&state)
            .expect("evaluates");
        assert_eq!(
            (b.run, b.because_of_failure),
            (run, because),
            "{condition} after {status}"
        );
        state.cancel();
        let f = plan.instance("f").expect("f");
        assert!(
            f.condition(&state).expect("evaluates").run,
            "finally runs on cancel"
        );
    }
}

/// The table of docs/pipelines.md: in `finally`, the status functions refer to all of `steps`,
/// whatever the step needs.
#[test]
fn status_functions_in_finally_are_about_the_whole_run() {
    let text = |condition: &str| {
        format!(
            "version: 1\nname: x\nsteps:\n  a: {{ uses: sidestep/pod-run, with: {{ script: x }} }}\n  b: {{ uses: sidestep/pod-run, with: {{ script: x }}, needs: [a] }}\nfinally:\n  first: {{ uses: sidestep/pod-run, with: {{ script: x }} }}\n  f: {{ uses: sidestep/pod-run, with: {{ script: x }}, needs: [first], if: \"{condition}\" }}\n"
        )
    };
    // The outcome of a, b and another step of `finally`, and whether the run is being cancelled.
    // Then the results of success(), failure(), cancelled() and always().
    let own = (Status::Skipped, false);
    let after_failure = (Status::Skipped, true);
    let ok = (Status::Succeeded, false);
    let failed = (Status::Failed, false);
    let late = (Status::TimedOut, false);
    let stopped = (Status::Cancelled, false);
    let table = [
        (ok, ok, ok, false, [true, false, false, true]),
        (own, ok, ok, false, [true, false, false, true]),
        (ok, ok, failed, false, [true, false, false, true]),
        (failed, after_failure, ok, false, [false, true, false, true]),
        (ok, failed, ok, false, [false, true, false, true]),
        (ok, late, ok, false, [false, true, false, true]),
        (ok, stopped, ok, true, [false, false, true, true]),
        (failed, stopped, ok, true, [false, true, true, true]),
    ];
    let conditions = ["success()", "failure()", "cancelled()", "always()"];
    for (a, b, first, cancelled, expected) in table {
        for (condition, runs) in conditions.into_iter().zip(expected) {
            let plan = planned(&text(condition), json!({})).expect(condition);
            let mut state = RunState::new(&plan, &evaluator());
            for (step, (status, because)) in [("a", a), ("b", b), ("first", first)] {
                match status {
                    Status::Skipped => state.set_skipped(step, because),
                    status => state.set(step, status),
                }
            }
            if cancelled {
                state.cancel();
            }
            let f = plan.instance("f").expect("f");
            let found = f.condition(&state).expect("evaluates");
            assert_eq!(found.run, runs, "{condition} after {a:?}, {b:?}, {first:?}");
        }
    }
}

/// A step that runs after a failure does not hide the failure.
#[test]
fn status_functions_are_about_the_needs_and_what_those_need() {
    let step = |id: &str, needs: &str, condition: &str| {
        format!(
            "  {id}: {{ uses: sidestep/pod-run, with: {{ script: x }}, needs: [{needs}]{condition} }}\n"
        )
    };
    let text = [
        "version: 1\nname: x\nsteps:\n".to_owned(),
        step("build", "", ""),
        step("report", "build", ", if: always()"),
        step("deploy", "report", ""),
        step("tidy", "report", ", if: failure()"),
        step("last", "deploy", ", if: failure()"),
    ]
    .concat();
    let plan = planned(&text, json!({})).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    for (build, deploys) in [(Status::Succeeded, true), (Status::Failed, false)] {
        let mut state = RunState::new(&plan, &evaluator());
        let runs = |state: &RunState, id: &str| {
            let condition = plan.instance(id).expect(id).condition(state);
            condition.expect("evaluates").run
        };
        state.set("build", build);
        assert!(runs(&state, "report"));
        state.set_outputs("report", Status::Succeeded, outputs(json!({})));
        assert_eq!(runs(&state, "deploy"), deploys);
        assert_eq!(runs(&state, "tidy"), !deploys);
        if deploys {
            state.set_outputs("deploy", Status::Succeeded, outputs(json!({})));
        } else {
            state.set_skipped("deploy", true);
        }
        assert_eq!(runs(&state, "last"), !deploys);
    }
}

#[test]
fn a_failure_at_the_begin_of_a_long_chain_reaches_its_end() {
    let mut text = String::from("version: 1\nname: x\nsteps:\n");
    for number in 0..5_000 {
        let needs = if number == 0 {
            String::new()
        } else {
            format!("s{}", number - 1)
        };
        text += &format!(
            "  s{number}: {{ uses: sidestep/pod-run, with: {{ script: x }}, needs: [{needs}], if: \"always() || failure()\" }}\n"
        );
    }
    let plan = planned(&text, json!({})).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    let mut state = RunState::new(&plan, &evaluator());
    state.set("s0", Status::Failed);
    for number in 1..4_999 {
        state.set_outputs(&format!("s{number}"), Status::Succeeded, outputs(json!({})));
    }
    let last = plan.instance("s4999").expect("the last");
    let condition = last.condition(&state).expect("evaluates");
    assert!(condition.run);
    assert_eq!(condition.values["failure()"], json!(true));
}
