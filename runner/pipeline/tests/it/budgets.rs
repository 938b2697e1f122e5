//! The diagnostics of a file whose untrusted expressions use up a budget.

use std::sync::Arc;

use serde_json::{Value, json};
use sidestep_evaluator::{Answer, Budget, Evaluator, Question, Stopped};
use sidestep_evaluator_guest::Native;
use sidestep_events::{Class, Owner, PluginRef, Status};
use sidestep_pipeline::RunState;

use crate::fixtures::{evaluator, lines, planned, planned_by};

/// Fails on a question that contains this text.
#[derive(Debug)]
struct StopsAt {
    text: &'static str,
    with: Stopped,
}

impl Evaluator for StopsAt {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Stopped> {
        // Parsing costs nothing: the diagnostics point to the place of an evaluation.
        let works = !matches!(question, Question::Analyse { .. });
        let text = serde_json::to_string(question).expect("JSON");
        if works && text.contains(self.text) {
            return Err(self.with.clone());
        }
        Native.ask(question)
    }

    fn charge(&self, _: u64) -> Result<(), Stopped> {
        Ok(())
    }
}

fn stops(text: &'static str, with: impl Into<Stopped>) -> Arc<dyn Evaluator> {
    let with = with.into();
    Arc::new(StopsAt { text, with })
}

const STEPS: Budget = Budget::Steps(1_000_000_000);
const FILE: &str = "version: 1
name: budgets
inputs: { s: { type: string, default: x, pattern: \"^x+$\" } }
steps:
  up:
    uses: sidestep/context-upload
    with: { bucket: \"b-${{ inputs.s + 'heavy' }}\", prefix: p/ }
  run:
    uses: sidestep/pod-run
    if: \"inputs.s == 'slow'\"
    with: { script: make, env: { A: \"${{ inputs.s + 'weighty' }}\" } }
";

fn problems(evaluator: &Arc<dyn Evaluator>) -> String {
    lines(&planned_by(evaluator, FILE, json!({})).expect_err("something stops"))
}

#[test]
fn an_expression_that_uses_up_a_budget_is_shown_at_its_place() {
    assert_eq!(
        problems(&stops("heavy", STEPS)),
        "7:28+18 expression.budget: ${{ inputs.s + 'heavy' }}: this takes more than 1,000,000,000 \
         steps, the budget of one evaluation\n    simplify it, or let a step compute it and read \
         the step's output\n"
    );
    let wide = Budget::Memory(64 << 20);
    assert!(problems(&stops("heavy", wide)).contains("this takes more than 64 MiB of memory"));
}

#[test]
fn a_budget_of_the_run_is_said_once_and_each_expression_has_its_own() {
    let all = problems(&stops("inputs", Budget::StepsInAll(3_000_000)));
    let said = all.matches("expression.budget").count();
    assert_eq!(said, 1, "{all}");
    assert!(
        all.contains("take more than 3,000,000 steps in all"),
        "{all}"
    );
    let each = problems(&stops("inputs", STEPS));
    assert_eq!(each.matches("expression.budget").count(), 2, "{each}");
}

#[test]
fn a_schema_and_a_pattern_that_use_up_a_budget_are_shown_at_theirs() {
    let schema = problems(&stops("\"schema\"", STEPS));
    assert!(
        schema.starts_with(
            "6:11+23 schema.budget: the input schema of `sidestep/context-upload` can't be used: \
             this takes more than 1,000,000,000 steps, the budget of one evaluation\n"
        ),
        "{schema}"
    );
    let pattern = problems(&stops("\"pattern\":\"^x", STEPS));
    assert!(
        pattern.contains("expression.budget: this pattern can't be used: this takes"),
        "{pattern}"
    );
}

#[test]
fn a_request_that_uses_up_a_budget_names_the_plugin() {
    let request = problems(&stops("inputs.path + '/**'", STEPS));
    assert!(
        request.starts_with(
            "6:11+23 expression.budget: the request of `sidestep/context-upload` under `workspace` \
             can't be evaluated: this takes more than 1,000,000,000 steps, the budget of one \
             evaluation\n"
        ),
        "{request}"
    );
}

#[test]
fn a_runner_without_an_evaluator_says_so_once() {
    let broken = Stopped::Broken("this build has no evaluator".to_owned());
    let all = problems(&stops("inputs", broken));
    assert_eq!(all.matches("evaluator.broken").count(), 1, "{all}");
    assert!(all.contains("cargo xtask build"), "{all}");
}

const LATE: &str = "version: 1
name: late
steps:
  a: { uses: sidestep/context-upload, with: { bucket: b } }
  b:
    uses: sidestep/pod-run
    if: \"steps.a.outputs.files > 1\"
    with:
      script: make
      env: { A: \"${{ steps.a.outputs.uri + '!' }}\" }
outputs: { it: \"${{ steps.a.outputs.uri + '?' }}\" }
";

#[test]
fn while_a_run_goes_on_the_failure_names_the_place_and_the_budget() {
    let plan = planned(LATE, json!({})).expect("a plan");
    let stored = serde_json::to_string(&plan).expect("JSON");
    let plan: sidestep_pipeline::Plan = serde_json::from_str(&stored).expect("read");
    let b = plan.instance("b").expect("b");
    let ended = |evaluator: &Arc<dyn Evaluator>| {
        let mut state = RunState::new(&plan, evaluator);
        let outputs: Value = json!({ "uri": "gs://b/o", "files": 2 });
        let outputs = outputs.as_object().cloned().expect("a map");
        state.set_outputs("a", Status::Succeeded, outputs);
        state
    };

    let state = ended(&stops("+ '!'", STEPS));
    let failure = b.inputs(&state).expect_err("it stops");
    assert_eq!(
        failure.message.exact(),
        "the inputs of b are wrong: ${{ steps.a.outputs.uri + '!' }} at pipeline.yaml:10:22: this takes more than 1,000,000,000 steps, the budget of one evaluation"
    );
    assert_eq!(failure.code.exact(), "expression.budget");
    assert_eq!(
        (failure.class, failure.owner),
        (Class::Exhausted, Owner::Author)
    );

    let state = ended(&stops("files > 1", STEPS));
    let failure = b.condition(&state).expect_err("it stops");
    assert_eq!(
        failure.message.exact(),
        "the condition of b at pipeline.yaml:7:10 can't be evaluated: this takes more than 1,000,000,000 steps, the budget of one evaluation"
    );

    let state = ended(&stops("+ '?'", STEPS));
    let failure = plan.outputs(&state).expect_err("it stops");
    assert!(
        failure.message.exact().contains("at pipeline.yaml:11:"),
        "{failure:?}"
    );

    let state = ended(&stops("\"schema\"", STEPS));
    let failure = b.inputs(&state).expect_err("it stops");
    assert_eq!(failure.code.exact(), "schema.budget");
    assert_eq!(failure.owner, Owner::Plugin);

    assert!(b.inputs(&ended(&evaluator())).is_ok());
}

#[test]
fn outputs_are_checked_within_the_budgets() {
    let name = PluginRef::parse("sidestep/context-upload").expect("a plugin");
    let manifest = &crate::fixtures::plugins()[&name].manifest;
    let outputs = json!({ "uri": "gs://b/o" });
    assert_eq!(manifest.check_outputs(&Native, &outputs), Ok(Vec::new()));
    let stops = StopsAt {
        text: "schema",
        with: STEPS.into(),
    };
    let failure = manifest
        .check_outputs(&stops, &outputs)
        .expect_err("it stops");
    assert_eq!(
        failure.message.exact(),
        "the output schema of `context-upload`: this takes more than 1,000,000,000 steps, the budget of one evaluation"
    );
    assert_eq!(failure.code.exact(), "schema.budget");
    assert_eq!(
        (failure.class, failure.owner),
        (Class::Exhausted, Owner::Plugin)
    );
}
