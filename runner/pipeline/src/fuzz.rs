//! Fuzz targets for the readers of untrusted bytes. The evaluator has its own targets for the
//! evaluation of expressions.

use serde_json::Value;
use sidestep_evaluator::{Analysis, Answer, Evaluator, Question, Stopped, Truth};
use sidestep_events::Diagnostic;

use crate::{Source, parse_partly, read_values};

/// A target: its name, the reader, and the seed inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The targets of this crate.
pub const TARGETS: [Target; 2] = [
    ("pipeline-file", file, file_seeds),
    ("pipeline-inputs", inputs, input_seeds),
];

/// An evaluator that treats every expression as a constant.
#[derive(Debug)]
struct Constant;

impl Evaluator for Constant {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Stopped> {
        Ok(match question {
            Question::Analyse { .. } => Answer::Analysis(Analysis::default()),
            Question::Evaluate { .. } | Question::Claims { .. } => Answer::Value(Value::Null),
            Question::Validate { .. } => Answer::Findings(Vec::new()),
            Question::Match { .. } => Answer::Matches(true),
            Question::Condition { .. } => Answer::Truth(Truth::True),
        })
    }

    fn charge(&self, _: u64) -> Result<(), Stopped> {
        Ok(())
    }
}

/// Reads a pipeline file.
pub fn file(bytes: &[u8]) {
    let source = source(bytes);
    let parsed = parse_partly(&source, &Constant);
    assert!(parsed.pipeline.is_some() || !parsed.problems.is_empty());
    within(&parsed.problems, &source.text);
    if let Some(pipeline) = parsed.pipeline {
        for (plugin, _) in pipeline.uses() {
            let again = sidestep_events::PluginRef::parse(plugin.as_str());
            assert_eq!(again.as_ref(), Ok(plugin), "a name names one plugin");
        }
    }
}

/// Reads a file of inputs. Also checks that the value, written as JSON, reads as the same value:
/// JSON is YAML.
pub fn inputs(bytes: &[u8]) {
    let source = source(bytes);
    match read_values(&source) {
        Ok(value) if !has_fraction(&value) => {
            let json = Source {
                name: source.name,
                text: value.to_string(),
            };
            if let Ok(again) = read_values(&json) {
                assert_eq!(again, value);
            }
        }
        Ok(_) => {}
        Err(problems) => {
            assert!(!problems.is_empty());
            within(&problems, &source.text);
        }
    }
}

fn source(bytes: &[u8]) -> Source {
    Source {
        name: "f.yaml".to_owned(),
        text: String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Checks that the place of each problem lies within the text.
fn within(problems: &[Diagnostic], text: &str) {
    let lines = text.split('\n').count() + text.matches('\r').count() + 1;
    for problem in problems {
        let line = problem.at.map_or(1, |at| at.line as usize);
        assert!((1..=lines).contains(&line), "{problem:?}");
    }
}

/// Returns whether a value holds a fraction. Fractions have more than one spelling, so the text
/// may change.
fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(entries) => entries.values().any(has_fraction),
        _ => false,
    }
}

fn file_seeds() -> Vec<Vec<u8>> {
    [
        "version: 1\nname: a\ndescription: x\ninputs:\n  tag: { type: string, default: latest }\n  n: { type: integer, required: true }\nenv: [CI]\nsecrets:\n  hook: { env: HOOK }\n  key: { file: k.pem }\ndefaults:\n  timeout: 20m\n  cluster: c\n  retry: { attempts: 3, on: [unavailable, pod.evicted], delay: 1s, maxDelay: 1m }\nsteps:\n  one:\n    uses: sidestep/context-upload\n    with: { path: \".\", bucket: \"${{ inputs.tag }}\", keep: 24h }\n  two:\n    uses: ./plugins/x.wasm\n    needs: [one]\n    if: success() && inputs.n > 1\n    matrix: { os: [a, b], v: [1, \"1\"], exclude: [{ os: a, v: 1 }], include: [{ os: c }] }\n    maxParallel: 2\n    continueOnError: true\n    grants:\n      storage: [{ bucket: b, prefix: p/, actions: [get] }]\n      http: [{ host: h.example, methods: [GET], paths: [\"/a/*\"] }]\nfinally:\n  end: { uses: sidestep/wi-verify, if: \"failure()\" }\noutputs:\n  image: \"${{ steps.two.outputs.image }}\"\n",
        "version: 1\nname: b\nsteps:\n  a: { uses: \"r.example/p@sha256:0000000000000000000000000000000000000000000000000000000000000000\" }\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn input_seeds() -> Vec<Vec<u8>> {
    [
        "a: \"1.10\"\nb: [1, -2, true, ~, \"no\", 'it''s']\nc: { d: |\n  text\n  }\n",
        "{\"a\": \"\\u0041\\n\", \"b\": [1e3, 0.5], \"c\": {\"\": null}}",
        "tag: 1.10\noctal: 010\nflag: off\nd: 2024-01-01\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

#[cfg(test)]
mod tests {
    #[test]
    fn strangers_bytes_are_read_without_harm() {
        super::TARGETS
            .into_iter()
            .for_each(sidestep_mutations::check);
    }
}
