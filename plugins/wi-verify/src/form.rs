//! The form of the workload, and the Google service accounts that let it act as them.

use sidestep::gcp::iam::Policy;
use sidestep::google::Account;

use crate::binding::{self, Binding};
use crate::held::Held;
use crate::identity::{Identity, Way};
use crate::inputs::{Form, Inputs};

/// The form, as far as inputs and annotation determine it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    /// It is this.
    Way(Way),
    /// Only the bindings determine it.
    ByBindings,
}

/// Returns the form that inputs and annotation determine. An account in the inputs takes precedence
/// over the annotation: link 6 compares the two.
///
/// An annotation that is not an address names the account that is most likely meant by it.
pub(crate) fn told(inputs: &Inputs, annotation: Option<&str>) -> Told {
    let annotated = annotation.and_then(|text| {
        let project = inputs.cluster.project().unwrap_or_default();
        match Account::check(text, project) {
            Ok(account) => Some(account),
            Err(misspelt) => misspelt.meant,
        }
        .map(|account| account.address().to_owned())
    });
    let named = inputs.google_service_account.clone().or(annotated);
    match (inputs.form, named) {
        (Form::Direct, _) => Told::Way(Way::Direct),
        (_, Some(email)) => Told::Way(Way::As(email)),
        (Form::Auto | Form::Impersonation, None) => Told::ByBindings,
    }
}

/// A condition need not hold now to tell which account is meant.
fn undecided() -> Held {
    Held::Unknown(String::new())
}

/// Returns those of the accounts whose own policies let the workload act as them.
pub(crate) fn bound(identity: &Identity, policies: &[(String, Policy)]) -> Vec<String> {
    let lets = |policy: &Policy| {
        !matches!(
            binding::read(identity, policy, None, |_| undecided()),
            Binding::Absent { .. } | Binding::Unknown(_)
        )
    };
    policies
        .iter()
        .filter(|(_, policy)| lets(policy))
        .map(|(email, _)| email.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::identity;
    use crate::inputs::example;
    use crate::roles::policy;

    #[test]
    fn inputs_go_before_the_annotation() {
        let by = |more, annotation| told(&example(&more), annotation);
        let acts_as = |email: &str| Told::Way(Way::As(email.to_owned()));
        let (a, b) = ("a@p.iam.gserviceaccount.com", "b@p.iam.gserviceaccount.com");
        assert_eq!(by(json!({}), Some(a)), acts_as(a));
        assert_eq!(
            by(json!({ "googleServiceAccount": b }), Some(a)),
            acts_as(b)
        );
        assert_eq!(
            by(json!({ "form": "direct" }), Some(a)),
            Told::Way(Way::Direct)
        );
        let meant = acts_as("a@demo.iam.gserviceaccount.com");
        assert_eq!(by(json!({}), Some("a")), meant, "a bare name");
        assert_eq!(by(json!({}), None), Told::ByBindings);
        assert_eq!(
            by(json!({ "form": "impersonation" }), None),
            Told::ByBindings
        );
    }

    #[test]
    fn bindings_tell_the_account() {
        let policies = [
            (
                "a@p".to_owned(),
                policy(&[(
                    "roles/iam.workloadIdentityUser",
                    "serviceAccount:demo.svc.id.goog[builds/other]",
                )]),
            ),
            (
                "b@p".to_owned(),
                policy(&[(
                    "roles/iam.workloadIdentityUser",
                    "serviceAccount:demo.svc.id.goog[builds/kaniko]",
                )]),
            ),
        ];
        assert_eq!(bound(&identity::example(Way::Direct), &policies), ["b@p"]);
    }
}
