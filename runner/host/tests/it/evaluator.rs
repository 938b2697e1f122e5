//! The evaluator's real module with its real budgets, and untrusted expressions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use serde_json::{Map, Value, json};
use sidestep_capabilities::CAPABILITIES;
use sidestep_evaluator::{
    Answer, Attributes, Budget, Evaluator, MAX_CONDITION, Question, Statuses, Stopped, Truth,
};
use sidestep_events::Class;
use sidestep_host::{EvaluationLimits, HostConfig, Limits, ModuleEvaluator, PluginHost};
use tokio::sync::Notify;

use crate::guest::echo;
use crate::sink::Step;

/// The module that `cargo xtask test` built.
static CODE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let plugins = std::env::var_os("SIDESTEP_PLUGINS");
    let folder = plugins.expect("the tests are run by `cargo xtask test`");
    std::fs::read(Path::new(&folder).join("evaluator/evaluator.cwasm")).expect("it is built")
});

fn evaluator() -> ModuleEvaluator {
    ModuleEvaluator::new(&CODE, EvaluationLimits::default())
}

fn evaluate(text: &str, inputs: Value) -> Question<'_> {
    Question::Evaluate {
        text: text.into(),
        variables: BTreeMap::from([("inputs".into(), Cow::Owned(inputs))]),
        statuses: Statuses::default(),
    }
}

fn validate(schema: Value, value: Value) -> Question<'static> {
    Question::Validate {
        schema: Cow::Owned(schema),
        value: Cow::Owned(value),
    }
}

fn numbers(count: usize) -> Value {
    json!({ "l": vec![7; count], "s": "abc".repeat(300), "long": "x".repeat(1 << 20) })
}

/// Asks a question, and checks that the question after it is still answered. Also returns the
/// number of steps.
fn ask(question: &Question<'_>) -> (Result<Answer, Stopped>, u64) {
    let evaluator = evaluator();
    let answer = evaluator.ask(question);
    let steps = evaluator.steps();
    let next = evaluator.ask(&evaluate("inputs.a + 1", json!({ "a": 1 })));
    assert_eq!(next, Ok(Answer::Value(json!(2))), "after {answer:?}");
    (answer, steps)
}

/// Asserts that the question ends at one of these budgets, without exceeding its steps.
fn assert_stopped(name: &str, question: &Question<'_>, at: &[Budget]) {
    let limits = EvaluationLimits::default();
    let (answer, steps) = ask(question);
    let budget = match answer {
        Err(Stopped::Budget(budget)) => budget,
        other => panic!("{name}: {:.200}", format!("{other:?}")),
    };
    assert!(at.contains(&budget), "{name}: {budget:?}");
    assert!(steps <= limits.steps, "{name}: {steps}");
}

const STEPS: Budget = Budget::Steps(1_000_000_000);
const MEMORY: Budget = Budget::Memory(64 << 20);
const VALUE: Budget = Budget::Value(16 << 20);

#[test]
fn expressions_that_grow_or_run_for_long_end_at_a_budget() {
    let table: [(&str, &str, usize); 9] = [
        (
            "lists of lists",
            "size(inputs.l.map(x, inputs.l.map(y, inputs.l)))",
            1000,
        ),
        (
            "a million rounds",
            "inputs.l.map(x, size(inputs.l.map(y, x + y)))",
            1000,
        ),
        (
            "matches in rounds",
            "inputs.l.map(x, inputs.l.filter(y, inputs.s.matches('(a|b|ab|bc|c)*d{1,200}')))",
            300,
        ),
        (
            "patterns to compile in rounds",
            r"inputs.l.filter(x, inputs.s.matches('(\\w{1,9}\\W{1,9}){1,9}'))",
            1000,
        ),
        (
            "texts that double",
            "inputs.l.map(x, inputs.s+inputs.s+inputs.s+inputs.s).map(x, x+x+x+x+x+x+x+x).map(x, x+x+x+x+x+x+x+x)",
            1000,
        ),
        // A copy costs one step per byte.
        (
            "copies of a long text",
            "inputs.l.filter(x, inputs.l.exists(y, inputs.long + 'y' == ''))",
            1000,
        ),
        (
            "a long text in each place",
            "inputs.l.map(x, inputs.long + 'y')",
            1000,
        ),
        (
            "the same list in each place",
            "inputs.l.map(x, inputs.l)",
            1000,
        ),
        (
            "a shared text in each place",
            "inputs.l.map(x, inputs.long)",
            1000,
        ),
    ];
    for (name, text, count) in table {
        assert_stopped(
            name,
            &evaluate(text, numbers(count)),
            &[STEPS, MEMORY, VALUE],
        );
    }
}

#[test]
fn texts_that_are_hard_to_parse_end_or_are_wrong() {
    let deep = |open: &str, close: &str, n: usize| open.repeat(n) + "1" + &close.repeat(n);
    let hard = [
        vec!["1"; 1000].join("+"),
        vec!["1"; 680].join("||"),
        deep("(", ")", 32),
        deep("[", "]", 32),
        deep("-(", ")", 32),
        "!".repeat(2000) + "true",
        "true?1:".repeat(290) + "1",
        "a".to_owned() + &".b".repeat(1000),
        "inputs.l".to_owned() + &"[0]".repeat(600),
        "f(".repeat(30) + &")".repeat(30),
        "{1:{1:{1:{1:".repeat(7),
        "a<b>c<d>".repeat(250),
        "\u{10ffff}".repeat(500),
        "inputs.l.map(a,inputs.l.map(b,inputs.l.map(c,1)))".to_owned(),
    ];
    for text in hard {
        let (answer, steps) = ask(&Question::Analyse {
            text: (&*text).into(),
            tree: false,
        });
        let ended = matches!(
            answer,
            Ok(Answer::Analysis(_) | Answer::Wrong(_)) | Err(Stopped::Budget(_))
        );
        assert!(ended, "{text:.60}: {answer:?}");
        assert!(steps <= EvaluationLimits::default().steps, "{text:.60}");
    }
}

/// Returns `depth` definitions, each of which refers to the next one `width` times.
fn bomb(combinator: &str, depth: usize, width: usize) -> Value {
    let mut definitions = Map::new();
    for level in 0..depth {
        let next = json!({ "$ref": format!("#/$defs/d{}", level + 1) });
        let level = format!("d{level}");
        definitions.insert(level, json!({ combinator: vec![next; width] }));
    }
    definitions.insert(format!("d{depth}"), json!({ "type": "string" }));
    json!({ "$ref": "#/$defs/d0", "$defs": definitions })
}

#[test]
fn schemas_that_multiply_end_at_a_budget() {
    for combinator in ["allOf", "oneOf", "anyOf"] {
        let question = validate(bomb(combinator, 40, 2), json!(1));
        assert_stopped(combinator, &question, &[STEPS, MEMORY]);
    }
    let patterns = vec![json!({ "pattern": "(a|b|ab)*c{1,90}$" }); 60];
    let nested = json!({ "items": { "items": { "contains": { "anyOf": patterns } } } });
    let texts = vec![vec![vec!["ab".repeat(40); 20]; 60]; 60];
    assert_stopped(
        "patterns",
        &validate(nested, json!(texts)),
        &[STEPS, MEMORY],
    );
}

#[test]
fn schemas_that_are_odd_end_or_are_wrong() {
    let table = [
        ("a circle", json!({ "$ref": "#" }), json!({})),
        (
            "two circles",
            json!({ "allOf": [{ "$ref": "#" }, { "$ref": "#" }] }),
            json!({}),
        ),
        (
            "a dynamic circle",
            json!({ "$dynamicAnchor": "a", "not": { "$dynamicRef": "#a" } }),
            json!(1),
        ),
        (
            "a pattern too large",
            json!({ "pattern": "((a{1,99}){1,99}){1,99}" }),
            json!("a"),
        ),
        (
            "a pattern of Unicode",
            json!({ "pattern": r"(\w{1,99}\d{1,99}){1,99}" }),
            json!("a"),
        ),
        ("a tiny step", json!({ "multipleOf": 1e-300 }), json!(1e300)),
        (
            "a large count",
            json!({ "minItems": 1e300, "maxLength": -1 }),
            json!([]),
        ),
        (
            "somewhere else",
            json!({ "$ref": "https://example.com/schema.json" }),
            json!(1),
        ),
        ("no schema", json!([1, 2]), json!(1)),
        (
            "many unique items",
            json!({ "uniqueItems": true }),
            (0..30_000).map(|n| json!({ "a": { "b": n } })).collect(),
        ),
    ];
    for (name, schema, value) in table {
        let (answer, steps) = ask(&validate(schema, value));
        let ended = matches!(
            answer,
            Ok(Answer::Findings(_) | Answer::Wrong(_)) | Err(Stopped::Budget(_))
        );
        assert!(ended, "{name}: {answer:?}");
        assert!(steps <= EvaluationLimits::default().steps, "{name}");
    }
}

#[test]
fn values_that_nest_deep_are_wrong() {
    let mut deep = json!(1);
    for _ in 0..2000 {
        deep = json!([deep]);
    }
    let (answer, _) = ask(&evaluate("inputs", deep.clone()));
    assert!(matches!(answer, Ok(Answer::Wrong(_))), "{answer:?}");
    let (answer, _) = ask(&validate(deep, json!(1)));
    assert!(matches!(answer, Ok(Answer::Wrong(_))), "{answer:?}");
}

#[test]
fn patterns_of_inputs_are_bounded() {
    let question = |pattern: &str| Question::Match {
        pattern: pattern.to_owned().into(),
        text: "ab".repeat(100).into(),
    };
    for large in [
        "((a{1,99}){1,99}){1,99}",
        r"(\w{1,100}){1,20}",
        "(?:(?:x{1000}){1000}){1000}",
    ] {
        let (answer, _) = ask(&question(large));
        assert!(
            matches!(answer, Ok(Answer::Wrong(_)) | Err(Stopped::Budget(_))),
            "{large}"
        );
    }
    let (answer, _) = ask(&question("^(a|b|ab)*$"));
    assert_eq!(answer, Ok(Answer::Matches(true)));
}

fn condition(text: &str) -> Question<'_> {
    Question::Condition {
        text: text.into(),
        attributes: Attributes {
            request_time: "2026-06-01T12:00:00Z".into(),
            resource_name: Some("projects/_/buckets/contexts".into()),
            resource_service: Some("storage.googleapis.com".into()),
            resource_type: Some("storage.googleapis.com/Bucket".into()),
        },
    }
}

#[test]
fn conditions_are_decided_as_often_as_they_are_asked_about() {
    let evaluator = ModuleEvaluator::new(&CODE, EvaluationLimits::default().of_each());
    for _ in 0..3 {
        for (text, expected) in [
            (
                "request.time < timestamp('2027-01-01T00:00:00Z')",
                Truth::True,
            ),
            ("request.time.getHours('Europe/Berlin') == 12", Truth::False),
            (
                "request.auth == 1",
                Truth::Unknown("there is no `auth`".to_owned()),
            ),
        ] {
            let answer = evaluator.ask(&condition(text));
            assert_eq!(answer, Ok(Answer::Truth(expected)), "{text}");
        }
    }
    assert!(evaluator.steps() > 0);
}

#[test]
fn conditions_that_are_hard_to_parse_end_or_cannot_be_decided() {
    let hard = [
        vec!["1"; MAX_CONDITION / 2].join("+"),
        "!".repeat(MAX_CONDITION - 4) + "true",
        "true?1:".repeat(580) + "1",
        "resource".to_owned() + &".b".repeat(2000),
        "a<b>c<d>".repeat(500),
        "f(".repeat(32) + &")".repeat(32),
        "resource.name.matches('((a{1,99}){1,99}){1,99}')".to_owned(),
        "[1,2].map(a, [1,2].map(b, a))".to_owned(),
    ];
    for text in hard {
        let (answer, steps) = ask(&condition(&text));
        let ended = matches!(
            answer,
            Ok(Answer::Truth(Truth::True | Truth::Unknown(_))) | Err(Stopped::Budget(_))
        );
        assert!(ended, "{text:.60}: {answer:?}");
        assert!(steps <= EvaluationLimits::default().steps, "{text:.60}");
    }
}

#[test]
fn what_a_run_may_take_in_all_ends_at_a_budget() {
    let limits = EvaluationLimits {
        steps_in_all: 3_500_000_000,
        ..EvaluationLimits::default()
    };
    let evaluator = ModuleEvaluator::new(&CODE, limits);
    let question = evaluate(
        "inputs.l.map(x, size(inputs.l.map(y, x + y)))",
        numbers(1000),
    );
    let stopped: Vec<_> = (0..6).map(|_| evaluator.ask(&question)).collect();
    let all = Err(Budget::StepsInAll(3_500_000_000).into());
    assert_eq!(
        stopped[..3],
        [Err(STEPS.into()), Err(STEPS.into()), Err(STEPS.into())]
    );
    assert_eq!(stopped[3..], [all.clone(), all.clone(), all]);
}

#[test]
fn an_evaluation_takes_the_same_steps_in_every_process_and_sees_nothing_of_the_one_before() {
    let question = evaluate(
        "inputs.l.map(x, {'a': x, 'b': inputs.s}).size()",
        numbers(50),
    );
    let (first, second) = (ask(&question), ask(&question));
    assert_eq!(first, second);
    let evaluator = evaluator();
    let secret = evaluate("inputs.secret", json!({ "secret": "s3cr3t" }));
    assert_eq!(evaluator.ask(&secret), Ok(Answer::Value(json!("s3cr3t"))));
    let unknown = evaluate("inputs.secret", json!({}));
    assert_eq!(
        evaluator.ask(&unknown),
        Ok(Answer::Wrong("there is no `secret`".to_owned()))
    );
}

#[test]
fn what_honest_files_ask_takes_a_hundredth_of_the_budget() {
    let request = "[{'cluster': inputs.cluster, 'namespace': inputs.namespace, 'resources': \
                   ['pods', 'pods/log'], 'actions': ['get', 'create', 'delete']}]";
    let inputs = json!({ "cluster": "c", "namespace": "builds", "l": vec![1; 100] });
    let schema = json!({
        "type": "object",
        "properties": {
            "context": { "type": "string", "pattern": "^gs://" },
            "destinations": { "type": "array", "items": { "type": "string" } },
        },
        "required": ["context"],
        "additionalProperties": false,
    });
    let value = json!({ "context": "gs://b/o", "destinations": ["a", "b"] });
    let questions = [
        evaluate(request, inputs.clone()),
        evaluate("inputs.namespace + '/' + inputs.cluster", inputs.clone()),
        evaluate("inputs.l.filter(x, x > 1).size() == 0", inputs),
        validate(schema, value),
    ];
    for question in &questions {
        let evaluator = evaluator();
        for most in [25_000_000, 2_000_000] {
            // The first evaluation also parses the expression and builds the module's tables.
            let before = evaluator.steps();
            let answer = evaluator.ask(question);
            assert!(
                matches!(answer, Ok(Answer::Value(_) | Answer::Findings(_))),
                "{answer:?}"
            );
            let steps = evaluator.steps() - before;
            assert!(steps < most, "{steps} steps for {question:?}");
        }
    }
}

/// Does not answer until the other end of its channel is closed.
#[derive(Debug)]
struct Stuck {
    asked: Arc<Notify>,
    open: Mutex<Receiver<()>>,
}

impl Evaluator for Stuck {
    fn ask(&self, _: &Question<'_>) -> Result<Answer, Stopped> {
        self.asked.notify_one();
        let _ = self.open.lock().expect("no test panics holding it").recv();
        Ok(Answer::Findings(Vec::new()))
    }

    fn charge(&self, _: u64) -> Result<(), Stopped> {
        Ok(())
    }
}

#[tokio::test]
async fn the_check_of_outputs_counts_to_the_attempt_and_a_cancel_does_not_wait_for_it() {
    let (closed, open) = channel();
    let asked = Arc::new(Notify::new());
    let stuck = Stuck {
        asked: Arc::clone(&asked),
        open: Mutex::new(open),
    };
    let host = PluginHost::new(HostConfig {
        limits: Limits {
            grace: Duration::from_millis(50),
            ..Limits::default()
        },
        ..HostConfig::new(Arc::new(stuck), CAPABILITIES)
    });
    let plugin = host.expect("a host").load(&echo().build());
    let plugin = plugin.expect("it loads");

    let mut step = Step::new();
    // The check must begin before this time is over.
    step.timeout = Some(Duration::from_secs(5));
    let failure = step.run(&plugin).await.expect_err("its time is over");
    assert_eq!(failure.class, Class::TimedOut);

    asked.notified().await;
    let step = Step::new();
    let cancelling = async {
        asked.notified().await;
        step.cancel.cancel();
    };
    let (result, ()) = tokio::join!(step.run(&plugin), cancelling);
    let failure = result.expect_err("it is cancelled");
    assert_eq!(failure.class, Class::Cancelled);
    drop(closed);
    let outputs = Step::new().run(&plugin).await.expect("it is answered");
    assert_eq!(outputs, json!({}));
}
