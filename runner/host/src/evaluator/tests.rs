//! Tests the host with small modules; end-to-end tests attack the real one.

use serde_json::json;

use super::*;

/// Returns an evaluator whose module answers with `answer`'s body, which may use `$buffer` and
/// memory from 4096 on.
fn evaluator(data: &str, answer: &str, limits: EvaluationLimits) -> ModuleEvaluator {
    ModuleEvaluator::new(code(data, answer).leak(), limits)
}

fn code(data: &str, answer: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (memory (export "memory") 1)
            (data (i32.const 4096) "{}")
            (func (export "sidestep_buffer") (param i32) (result i32)
                (if (i32.gt_u (local.get 0) (i32.const 4096))
                    (then
                        (if (i32.eq (i32.const -1)
                                (memory.grow (i32.shr_u (local.get 0) (i32.const 16))))
                            (then unreachable))
                        (return (i32.const 65536))))
                (i32.const 0))
            (func $deep (call $deep) (call $deep))
            (func (export "sidestep_answer") (result i64) {answer}))"#,
        data.replace('"', "\\22")
    );
    let module = wat::parse_str(text).expect("a module");
    precompile_evaluator(&module).expect("it compiles")
}

fn small() -> EvaluationLimits {
    EvaluationLimits {
        steps: 10_000,
        steps_in_all: 25_000,
        memory: 1 << 20,
        value: 4096,
        values_in_all: 10_000,
    }
}

fn question(text: &str) -> Question<'_> {
    Question::Analyse {
        text: text.into(),
        tree: false,
    }
}

fn at(length: usize) -> String {
    format!("(i64.or (i64.shl (i64.const 4096) (i64.const 32)) (i64.const {length}))")
}

const ENDLESS: &str = "(loop $again (br $again)) (i64.const 0)";

#[test]
fn embedded_code_is_executed_where_it_lies() {
    let wrong = r#"{"wrong":"x"}"#;
    let code = code(wrong, &at(wrong.len()));
    let evaluator = ModuleEvaluator::embedded(in_place::tests::pages(&code), &[], small());
    for _ in 0..2 {
        assert_eq!(evaluator.ask(&question("x")), Ok(Answer::Wrong("x".into())));
    }
    let other = ModuleEvaluator::embedded(in_place::tests::pages(b"no code"), &[], small());
    assert!(matches!(other.ask(&question("x")), Err(Stopped::Broken(_))));
}

#[test]
fn every_instance_begins_with_the_memory_that_was_kept() {
    let texts = [r#"{"matches":false}"#, r#"{"matches":true}"#];
    // Counts the questions, and answers whether this is the second one.
    let second = format!(
        "(i32.store (i32.const 8000) (i32.add (i32.load (i32.const 8000)) (i32.const 1)))
         (if (result i64) (i32.eq (i32.load (i32.const 8000)) (i32.const 2))
             (then (i64.or (i64.shl (i64.const {}) (i64.const 32)) (i64.const {})))
             (else {}))",
        4096 + texts[0].len(),
        texts[1].len(),
        at(texts[0].len())
    );
    let code = code(&texts.concat(), &second);
    let kept = warm_evaluator(&code, &[question("x")]).expect("it answers");
    let pages = in_place::tests::pages(&code);
    let asked = |kept: &[u8]| {
        let evaluator = ModuleEvaluator::embedded(pages, kept.to_vec().leak(), small());
        let answer = evaluator.ask(&question("x"));
        answer.expect("an answer")
    };
    assert_eq!(asked(&[]), Answer::Matches(false));
    for _ in 0..2 {
        assert_eq!(asked(&kept), Answer::Matches(true));
    }
    assert!(kept.len() < 10_000, "{} bytes", kept.len());
    // Stored memory beyond the limit is refused too.
    let limits = EvaluationLimits {
        memory: 1 << 10,
        ..small()
    };
    let evaluator = ModuleEvaluator::embedded(pages, kept.leak(), limits);
    assert!(evaluator.ask(&question("x")).is_err());
}

#[test]
fn one_evaluation_and_all_of_a_run_have_budgets_of_steps() {
    let evaluator = evaluator("", ENDLESS, small());
    let asked: Vec<_> = (0..5).map(|_| evaluator.ask(&question("x"))).collect();
    let (one, all) = (Budget::Steps(10_000), Budget::StepsInAll(25_000));
    let expected = [one, one, all, all, all].map(|budget| Err(budget.into()));
    assert_eq!(asked, expected);
    assert_eq!(evaluator.steps(), 25_000);
}

#[test]
fn steps_are_the_same_each_time() {
    let text = r#"{"value":[1,"x"]}"#;
    let evaluator = evaluator(text, &at(text.len()), small());
    let mut before = 0;
    let taken: Vec<u64> = (0..3)
        .map(|_| {
            let answer = evaluator.ask(&question("x"));
            assert_eq!(answer, Ok(Answer::Value(json!([1, "x"]))));
            let taken = evaluator.steps() - before;
            before = evaluator.steps();
            taken
        })
        .collect();
    assert!(
        taken[0] > 0 && taken.iter().all(|one| *one == taken[0]),
        "{taken:?}"
    );
}

#[test]
fn steps_of_the_caller_count_too() {
    let evaluator = evaluator("", ENDLESS, small());
    assert_eq!(evaluator.charge(20_000), Ok(()));
    let all = Err(Budget::StepsInAll(25_000).into());
    assert_eq!(evaluator.charge(20_000), all);
    assert_eq!(evaluator.charge(1), all);
    assert_eq!(
        evaluator.ask(&question("x")),
        Err(Budget::StepsInAll(25_000).into())
    );
}

#[test]
fn memory_and_depth_are_bounded_and_the_next_question_is_answered() {
    let text = r#"{"matches":true}"#;
    let roomy = || EvaluationLimits {
        steps: 1 << 30,
        ..small()
    };
    let limits = EvaluationLimits {
        steps_in_all: 1 << 40,
        ..roomy()
    };
    let evaluator = evaluator(
        text,
        &format!(
            "(if (i32.eq (i32.load8_u (i32.const 20)) (i32.const 100)) (then (call $deep))) {}",
            at(text.len())
        ),
        limits,
    );
    let right = Ok(Answer::Matches(true));
    assert_eq!(evaluator.ask(&question("x")), right);
    let large = "x".repeat(2 << 20);
    assert_eq!(
        evaluator.ask(&question(&large)),
        Err(Budget::Memory(1 << 20).into())
    );
    assert_eq!(evaluator.ask(&question("x")), right);
    // The first byte of the text is the question's 20th.
    assert_eq!(evaluator.ask(&question("d")), Err(Budget::Depth.into()));
    assert_eq!(evaluator.ask(&question("x")), right);
}

#[test]
fn a_panic_of_the_module_is_the_fault_of_what_it_was_asked() {
    let evaluator = evaluator("", "unreachable", small());
    let Ok(Answer::Wrong(message)) = evaluator.ask(&question("x")) else {
        panic!("no answer");
    };
    assert_eq!(message, "the evaluator crashed on it");
}

#[test]
fn answers_take_no_more_room_than_they_may() {
    let long = format!(r#"{{"value":[0{}]}}"#, ",0".repeat(100));
    let evaluator = self::evaluator(&long, &at(long.len()), small());
    assert_eq!(
        evaluator.ask(&question("x")),
        Err(Budget::Value(4096).into())
    );

    let short = r#"{"value":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}"#;
    let evaluator = self::evaluator(short, &at(short.len()), small());
    let asked: Vec<bool> = (0..20)
        .map(|_| evaluator.ask(&question("x")).is_ok())
        .collect();
    assert!(asked[0] && !asked[19], "{asked:?}");
    assert_eq!(
        evaluator.ask(&question("x")),
        Err(Budget::ValuesInAll(10_000).into())
    );

    let deep = format!(r#"{{"value":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let limits = EvaluationLimits {
        value: 1 << 20,
        values_in_all: 1 << 20,
        ..small()
    };
    let evaluator = self::evaluator(&deep, &at(deep.len()), limits);
    assert_eq!(evaluator.ask(&question("x")), Err(Budget::Depth.into()));
}

#[test]
fn an_answer_outside_of_the_memory_is_none() {
    let evaluator = evaluator("", "(i64.const -1)", small());
    assert!(matches!(
        evaluator.ask(&question("x")),
        Err(Stopped::Broken(_))
    ));
}

#[test]
fn a_build_without_the_module_says_so() {
    let evaluator = ModuleEvaluator::new(&[], EvaluationLimits::default());
    let missing = Stopped::Broken("this build has no evaluator".to_owned());
    assert_eq!(evaluator.ask(&question("x")), Err(missing));
    let evaluator = ModuleEvaluator::new(b"no code", EvaluationLimits::default());
    assert!(matches!(
        evaluator.ask(&question("x")),
        Err(Stopped::Broken(_))
    ));
}
