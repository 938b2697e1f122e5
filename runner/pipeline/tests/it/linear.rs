//! The cost of planning grows in proportion to the file.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use sidestep_evaluator::{Answer, Evaluator, Question, Stopped, plain};
use sidestep_evaluator_guest::answer;
use sidestep_pipeline::{Seen, Template};

use crate::fixtures::{lines, planned_by};

/// Counts the questions that only the evaluator's module could answer.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl Evaluator for Counting {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Stopped> {
        if let Some(answer) = plain(question) {
            return Ok(answer);
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(answer(question))
    }

    fn charge(&self, _: u64) -> Result<(), Stopped> {
        Ok(())
    }
}

/// Returns the processor time of this thread: other threads and other programs do not count.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("positive");
    Duration::new(
        seconds,
        u32::try_from(time.tv_nsec).expect("below a second"),
    )
}

/// Parses and plans a file. Returns the processor time and the number of questions.
fn cost(text: &str) -> (Duration, usize) {
    let counting = Arc::new(Counting::default());
    let evaluator: Arc<dyn Evaluator> = Arc::clone(&counting) as _;
    let before = processor();
    planned_by(&evaluator, text, json!({})).unwrap_or_else(|found| panic!("{}", lines(&found)));
    (
        processor().saturating_sub(before),
        counting.0.load(Ordering::Relaxed),
    )
}

fn file(steps: impl Iterator<Item = String>) -> String {
    let mut text =
        String::from("version: 1\nname: x\ninputs: { p: { type: string, default: p } }\nsteps:\n");
    for step in steps {
        let _ = writeln!(text, "  {step}");
    }
    text
}

const NAMED: &str = "uses: sidestep/context-upload";

/// Returns a file of about `n` instances. Each form makes the planner look steps up in another way.
fn shapes(n: usize) -> [(&'static str, String); 7] {
    let values = |n: usize| {
        (0..n)
            .map(|i| format!("v{i}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let matrix = |n: usize| format!("matrix: {{ a: [{}] }}", values(n));
    [
        (
            "steps apart",
            file((0..n).map(|i| format!("s{i}: {{ {NAMED}, with: {{ bucket: '${{{{ inputs.p }}}}' }} }}"))),
        ),
        (
            "steps in a row, the last one first",
            file((0..n).rev().map(|i| match i {
                0 => format!("s0: {{ {NAMED}, with: {{ bucket: b }} }}"),
                i => format!("s{i}: {{ {NAMED}, with: {{ bucket: b }}, needs: [s{}] }}", i - 1),
            })),
        ),
        (
            "steps that read the outputs of the one before",
            file((0..n).map(|i| match i {
                0 => "s0: { uses: sidestep/pod-run, with: { script: x } }".to_owned(),
                i => format!(
                    "s{i}: {{ uses: sidestep/pod-run, if: 'steps.s{0}.status == \"succeeded\"', with: {{ script: x, env: {{ A: '${{{{ steps.s{0}.outputs.dist }}}}' }} }} }}",
                    i - 1
                ),
            })),
        ),
        (
            "one step that needs all others",
            file((0..n).map(|i| format!("s{i}: {{ {NAMED}, with: {{ bucket: b }} }}")).chain([format!(
                "z: {{ {NAMED}, with: {{ bucket: b }}, needs: [{}] }}",
                (0..n).map(|i| format!("s{i}")).collect::<Vec<_>>().join(", ")
            )])),
        ),
        (
            "two matrices in pairs",
            file(["s", "t: {needs: [s], "].into_iter().map(|head| {
                let (id, more) = head.split_once(": {").unwrap_or((head, ""));
                format!("{id}: {{ {more}{NAMED}, with: {{ bucket: b }}, {} }}", matrix(n / 2))
            })),
        ),
        (
            "a matrix whose values an expression adds to an output",
            file(
                [
                    "s: { uses: sidestep/pod-run, with: { script: x } }".to_owned(),
                    format!(
                        "t: {{ uses: sidestep/pod-run, with: {{ script: x, env: {{ A: '${{{{ steps.s.outputs.dist + matrix.a }}}}' }} }}, {} }}",
                        matrix(n)
                    ),
                ]
                .into_iter(),
            ),
        ),
        (
            "an expression of its own in each step",
            file((0..n).map(|i| format!("s{i}: {{ {NAMED}, with: {{ bucket: '${{{{ inputs.p + \"{i}\" }}}}' }} }}"))),
        ),
    ]
}

#[test]
fn planning_grows_in_proportion_to_the_file() {
    const FEW: usize = 250;
    const TIMES: usize = 16;
    for ((shape, few), (_, many)) in shapes(FEW).into_iter().zip(shapes(FEW * TIMES)) {
        let (small, small_asked) = (0..3).map(|_| cost(&few)).min().expect("three");
        let (large, large_asked) = cost(&many);
        // Something quadratic costs 256 times as much. Twice the ratio of the steps allows for cold caches.
        assert!(
            large < small * u32::try_from(TIMES * 2).expect("small"),
            "{shape}: {large:?} for {TIMES} times the steps of {small:?}"
        );
        let most = TIMES * small_asked.max(FEW) * 2;
        assert!(large_asked <= most, "{shape}: {large_asked} questions");
    }
}

/// The needs of two matrices with different keys multiply, and so would the plan.
#[test]
fn a_plan_has_a_maximum_of_dependencies() {
    let values = |key: &str, n: usize| {
        let all: Vec<String> = (0..n).map(|i| format!("{key}{i}")).collect();
        format!("matrix: {{ {key}: [{}] }}", all.join(", "))
    };
    let text = |n: usize| {
        file(
            [
                format!(
                    "s: {{ {NAMED}, with: {{ bucket: b }}, {} }}",
                    values("a", n)
                ),
                format!(
                    "t: {{ {NAMED}, with: {{ bucket: b }}, needs: [s], {} }}",
                    values("b", n)
                ),
            ]
            .into_iter(),
        )
    };
    let evaluator: Arc<dyn Evaluator> = Arc::new(Counting::default());
    let plan = planned_by(&evaluator, &text(20), json!({})).expect("few");
    let last = plan.instance("t[b=b19]").expect("an instance");
    assert_eq!(last.needs.len(), 20);
    assert!(matches!(&last.sees["s"], Seen::All(ids) if ids.len() == 20));
    assert!(matches!(last.with, Template::Literal(_)));
    let found = planned_by(&evaluator, &text(2_000), json!({})).expect_err("4,000,000");
    assert_eq!(found.len(), 1, "{}", lines(&found));
    insta::assert_snapshot!(lines(&found), @r"
    6:3+1 pipeline.too-many: with this step the instances of the plan have more than 500000 dependencies
        an instance of a matrix needs all instances of another matrix, unless both have the same keys: give both the same keys, or put a step without a matrix between them
    ");
}
