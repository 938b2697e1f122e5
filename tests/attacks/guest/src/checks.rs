//! The diagnostics of the plugin's `check`, before a run.

use sidestep::Diagnostic;

use crate::Inputs;

pub(crate) fn run(inputs: &Inputs) -> Vec<Diagnostic> {
    match inputs.act.as_str() {
        // Points at the first line of each file that `texts` names.
        "check.point" => inputs
            .texts
            .iter()
            .map(|file| {
                Diagnostic::warning("attacker.look", "look here")
                    .in_file(file)
                    .at(1, 1)
            })
            .collect(),
        "texts.check" => crate::texts::diagnostics(&inputs.texts),
        _ => Vec::new(),
    }
}
