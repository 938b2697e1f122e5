//! Checks a plugin's outputs before they are used.

use std::borrow::Cow;

use serde_json::Value;
use sidestep_evaluator::{Answer, Evaluator, Question};
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::Masks;
use sidestep_pipeline::Manifest;

/// The maximum number of schema errors that are shown.
const MOST_SHOWN: usize = 5;

/// Parses the outputs. If they are too large, are not a JSON object, or contain a known secret, the
/// plugin fails. They are never changed.
pub(crate) fn read(text: &str, most: usize, masks: &Masks) -> Result<Value, Failure> {
    let wrong = |class, code: &'static str, message: String| {
        Failure::new(class, code, Owner::Plugin, message)
    };
    if text.len() > most {
        return Err(wrong(
            Class::Exhausted,
            codes::output::TOO_LARGE,
            format!(
                "the outputs have {} bytes; the maximum is {most}",
                text.len()
            ),
        )
        .with_help("store large results as an artifact or an object, and return its location"));
    }
    let outputs: Value = serde_json::from_str(text).map_err(|error| {
        wrong(
            Class::Failed,
            codes::output::NOT_JSON,
            format!("the outputs are not JSON: {error}"),
        )
    })?;
    if !outputs.is_object() {
        return Err(wrong(
            Class::Failed,
            codes::output::NOT_JSON,
            "the outputs are not a JSON object".to_owned(),
        ));
    }
    match masks.find(&outputs) {
        None => Ok(outputs),
        Some(place) => Err(wrong(
            Class::Failed,
            codes::output::SECRET,
            format!("the output at `{place}` holds a secret, so the step has no outputs"),
        )
        .with_help("outputs are stored and shown; list the secret in the `secrets` of the later step that needs it")),
    }
}

/// Returns whether the outputs fit the plugin's own schema, if that takes no time to find out.
pub(crate) fn fit_at_once(evaluator: &dyn Evaluator, outputs: &Value, manifest: &Manifest) -> bool {
    let answer = evaluator.ask_at_once(&Question::Validate {
        schema: Cow::Borrowed(&manifest.outputs),
        value: Cow::Borrowed(outputs),
    });
    matches!(answer, Some(Answer::Findings(wrong)) if wrong.is_empty())
}

/// Checks the outputs against the plugin's own schema, since later steps are planned with it.
pub(crate) fn check(
    evaluator: &dyn Evaluator,
    outputs: &Value,
    manifest: &Manifest,
) -> Result<(), Failure> {
    let wrong = manifest.check_outputs(evaluator, outputs)?;
    if wrong.is_empty() {
        return Ok(());
    }
    let shown = wrong.iter().take(MOST_SHOWN).cloned();
    let mut shown: Vec<String> = shown.collect();
    if wrong.len() > MOST_SHOWN {
        shown.push(format!("{} more", wrong.len() - MOST_SHOWN));
    }
    Err(Failure::new(
        Class::Failed,
        codes::plugin::BAD_OUTPUTS,
        Owner::Plugin,
        format!(
            "the outputs do not match what `{}` declares: {}",
            manifest.name,
            shown.join("; ")
        ),
    )
    .with_help(format!(
        "report it to the plugin's author: version {} returns outputs that its own manifest does not \
         allow",
        manifest.version
    )))
}
