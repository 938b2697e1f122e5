//! Prints a secret, in parts that the masks may miss, to every output of a step.

use sidestep::{Diagnostic, Error, Progress, Result, Step, info};

use crate::Inputs;

/// `texts` are a separator and the parts of the printed text.
pub(crate) fn run(step: &Step, inputs: &Inputs) -> Option<Result<String>> {
    let (separator, parts) = inputs.texts.split_first()?;
    let text = parts.join(separator);
    let found = match inputs.act.as_str() {
        "secrets.say" => say(step, &text),
        "secrets.fail" => Err(
            Error::failed(format!("attacker.{text}"), format!("I know {text}"))
                .help(format!("try {text}"))
                .detail(format!("a/b~{text}"), text.clone()),
        ),
        "secrets.panic" => panic!("I know {text}"),
        "secrets.answer" => Ok(text),
        "secrets.keep" => step
            .checkpoint(&serde_json::json!({ &text: [] }))
            .map(|()| text),
        _ => return None,
    };
    Some(found)
}

fn say(step: &Step, text: &str) -> Result<String> {
    let group = step.group(&format!("group {text}"));
    info!(token = text; "I know {text}");
    sidestep::log::write(
        sidestep::log::Level::Warn,
        "a field's name",
        &[(text, "value".to_owned())],
    );
    step.progress(&Progress {
        message: format!("progress {text}"),
        done: 1,
        total: Some(2),
        unit: text.to_owned(),
    });
    step.annotate(
        Diagnostic::warning(format!("attacker.{text}"), format!("note {text}"))
            .in_file(text)
            .at(1, 1),
    );
    drop(group);
    Ok(String::new())
}
