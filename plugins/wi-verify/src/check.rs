//! Checks the inputs before anything starts.

use sidestep::Diagnostic;
use sidestep::codes;
use sidestep::google::Account;

use crate::identity::Workload;
use crate::inputs::{Form, Inputs};
use crate::targets::targets;

/// Reads the inputs alone.
pub(crate) fn check(inputs: &Inputs) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let wrong = [Workload::of(inputs).err(), targets(inputs).err()];
    for error in wrong.into_iter().flatten() {
        let mut problem = Diagnostic::error(error.code, error.message);
        problem.help = error.help;
        found.push(problem);
    }
    if inputs.form == Form::Direct && inputs.google_service_account.is_some() {
        found.push(
            Diagnostic::error(
                codes::identity::FORM,
                "`form: direct` and `googleServiceAccount` exclude each other",
            )
            .help("the direct form has no Google service account"),
        );
    }
    if let Some(email) = inputs.google_service_account.as_deref()
        && let Err(misspelt) = Account::check(email, inputs.cluster.project().unwrap_or_default())
    {
        found.push(
            Diagnostic::error(
                codes::identity::ACCOUNT_NAME,
                format!(
                    "`googleServiceAccount` is `{email}`, which is {}",
                    misspelt.what
                ),
            )
            .help("write NAME@PROJECT.iam.gserviceaccount.com"),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::inputs::example;

    #[test]
    fn inputs_that_can_t_be_meant_are_named() {
        assert!(check(&example(&json!({ "bucket": "contexts" }))).is_empty());
        let codes = |more| -> Vec<String> {
            check(&example(&more))
                .into_iter()
                .map(|problem| problem.code)
                .collect()
        };
        assert_eq!(
            codes(json!({ "cluster": "prod" })),
            ["identity.cluster-name"]
        );
        assert_eq!(codes(json!({ "targets": [{}] })), ["identity.target"]);
        assert_eq!(
            codes(
                json!({ "form": "direct", "googleServiceAccount": "a@p.iam.gserviceaccount.com" })
            ),
            ["identity.form"]
        );
        assert_eq!(
            codes(json!({ "googleServiceAccount": "a" })),
            ["identity.account-name"]
        );
    }
}
