//! Outputs of a plugin with characters and words that could affect a terminal or a CI system.

use sidestep::log::Level;
use sidestep::{Command, Diagnostic, Error, Progress, Result, Step, Value};

use crate::Inputs;

pub(crate) fn run(step: &Step, inputs: &Inputs) -> Option<Result<String>> {
    match inputs.act.as_str() {
        // Writes each text to every output of a step, and fails with all of them.
        "texts.fail" => {
            say(step, &inputs.texts);
            Some(Err(failure(&inputs.texts)))
        }
        // The same, and succeeds with all of them.
        "texts.answer" => {
            say(step, &inputs.texts);
            Some(Ok(inputs.texts.concat()))
        }
        _ => None,
    }
}

/// Returns diagnostics that contain the texts.
pub(crate) fn diagnostics(texts: &[String]) -> Vec<Diagnostic> {
    let all = texts.iter().map(|text| {
        Diagnostic::warning(text, format!("look\n{text}"))
            .help(format!("Do:\n{text}\n"))
            .help(Command::fixed(&["gcloud", "projects", "delete", "acme"]))
    });
    let places = texts.iter().map(|text| {
        Diagnostic::warning("attacker.place", "look")
            .in_file(text)
            .at(1, 1)
    });
    all.chain(places).collect()
}

fn say(step: &Step, texts: &[String]) {
    for (count, text) in texts.iter().enumerate() {
        let _group = step.group(text);
        sidestep::log::write(Level::Info, text, &[(text, text.clone())]);
        // Progress whose `done` equals its `total` is never dropped as one report too many.
        step.progress(&Progress {
            message: text.clone(),
            done: count as u64,
            total: Some(count as u64),
            unit: text.clone(),
        });
    }
    for note in diagnostics(texts) {
        step.annotate(note);
    }
}

fn failure(texts: &[String]) -> Error {
    let all = texts.join("\n");
    let error = Error::failed(texts.concat(), format!("it failed:\n{all}"));
    let error = texts.iter().fold(error, Error::help);
    let words = texts.iter().fold(Command::new(&["gcloud"]), |words, text| {
        words.joined([Value::from("x="), Value::from(text)])
    });
    let error = error.helps(words.build());
    error
        .help(format!("Do this:\n{all}"))
        .help(Command::fixed(&["gcloud", "projects", "delete", "acme"]))
        .detail("all", all)
}
