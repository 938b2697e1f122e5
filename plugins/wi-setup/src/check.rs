//! Checks the inputs before anything starts.

use sidestep::{Diagnostic, Error, codes};

use crate::identity::Workload;
use crate::inputs::{Format, Inputs};
use crate::wanted::targets;

/// Reads the inputs alone.
pub(crate) fn check(inputs: &Inputs) -> Vec<Diagnostic> {
    let prints = inputs.format != Format::Diff;
    let excluded = |name: &str| {
        Error::invalid_input(
            codes::identity::SETUP_INPUT,
            format!("`{name}` and `format` exclude each other"),
        )
        .help("`format` prints the wanted state; leave it out to change anything")
    };
    let both = match inputs {
        Inputs { apply: true, .. } if prints => Some(excluded("apply")),
        Inputs { remove: true, .. } if prints => Some(excluded("remove")),
        _ => None,
    };
    let wrong = [Workload::of(inputs).err(), targets(inputs).err(), both];
    let diagnostic = |error: Error| {
        let mut problem = Diagnostic::error(error.code, error.message);
        problem.help = error.help;
        problem
    };
    wrong.into_iter().flatten().map(diagnostic).collect()
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::inputs::example;

    #[test]
    fn every_wrong_input_is_named_at_once() {
        let codes = |more| -> Vec<String> {
            let found = check(&example(&more)).into_iter();
            found.map(|problem| problem.code).collect()
        };
        assert_eq!(codes(json!({ "bucket": "contexts" })), [""; 0]);
        assert_eq!(
            codes(json!({ "cluster": "prod", "targets": [{}], "apply": true, "format": "gcloud" })),
            [
                "identity.cluster-name",
                "identity.target",
                "identity.setup-input"
            ]
        );
    }
}
