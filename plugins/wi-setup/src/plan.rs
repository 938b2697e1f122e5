//! The difference between the present and the wanted state, as an ordered list of changes.

use sidestep::google::Account;

use crate::identity::Identity;
use crate::policy;
use crate::present::{KubernetesAccount, Present};
use crate::wanted::Binding;

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// Creates the Kubernetes service account.
    KubernetesAccount,
    /// Creates the Google service account.
    GoogleAccount(Account),
    /// Grants a role.
    Bind(Binding),
    /// Sets or removes the annotation that names the Google service account.
    Annotate {
        /// The present value.
        from: Option<String>,
        /// The wanted value.
        to: Option<String>,
    },
}

impl Change {
    /// Returns the name by which a record finds the change again.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::KubernetesAccount => "kubernetes-account".to_owned(),
            Self::GoogleAccount(account) => format!("google-account {}", account.address()),
            Self::Bind(binding) => {
                let id = format!(
                    "binding {} {} {}",
                    binding.on.name(),
                    binding.role,
                    binding.member()
                );
                match binding.condition() {
                    Some(condition) => format!("{id} {}", condition.expression),
                    None => id,
                }
            }
            Self::Annotate { to, .. } => {
                format!("annotation {}", to.as_deref().unwrap_or_default())
            }
        }
    }
}

/// One part of the wanted state, and whether it is there already.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    /// The change that makes it.
    pub(crate) change: Change,
    /// Whether it is there.
    pub(crate) present: bool,
    /// The title of the condition under which a binding is there.
    pub(crate) title: Option<String>,
}

impl Part {
    fn new(change: Change, present: bool) -> Self {
        Self {
            change,
            present,
            title: None,
        }
    }
}

/// Returns every part of the wanted state, in the order in which they are made: the Kubernetes
/// service account, which carries the record; then the accounts and roles in Google Cloud; the
/// annotation last, so that no pod starts with an identity that has no roles yet.
pub(crate) fn parts(identity: &Identity, bindings: &[Binding], present: &Present) -> Vec<Part> {
    let there = KubernetesAccount::default();
    let kubernetes = present.kubernetes.as_ref();
    let mut parts = vec![Part::new(Change::KubernetesAccount, kubernetes.is_some())];
    let google = identity.workload.google.as_ref();
    parts.extend(
        google.map(|account| Part::new(Change::GoogleAccount(account.clone()), present.google)),
    );
    let policies = bindings.iter().zip(&present.policies);
    parts.extend(policies.map(|(binding, found)| Part {
        title: policy::title(found, binding).map(str::to_owned),
        ..Part::new(Change::Bind(binding.clone()), policy::has(found, binding))
    }));
    let from = kubernetes.unwrap_or(&there).annotation.clone();
    let to = google.map(|account| account.address().to_owned());
    if from.is_some() || to.is_some() {
        let same = from == to;
        parts.push(Part::new(Change::Annotate { from, to }, same));
    }
    parts
}

/// Returns the changes to make.
pub(crate) fn changes(parts: &[Part]) -> Vec<Change> {
    let missing = parts.iter().filter(|part| !part.present);
    missing.map(|part| part.change.clone()).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use sidestep::serde_json::{Value, json};

    use super::*;
    use crate::wanted::{bindings, targets};
    use crate::{identity, inputs, policy};

    pub(crate) const APP: &str = "app-ci@demo.iam.gserviceaccount.com";

    pub(crate) fn acting() -> Value {
        json!({
            "googleServiceAccount": APP,
            "bucket": "contexts",
            "prefix": "ci/",
            "image": "europe-docker.pkg.dev/demo/images/app",
        })
    }

    pub(crate) fn all(more: &Value) -> (Identity, Vec<Binding>) {
        let identity = identity::example(more);
        let targets = targets(&inputs::example(more)).expect("targets");
        let bindings = bindings(&identity, &targets);
        (identity, bindings)
    }

    pub(crate) fn nothing(bindings: &[Binding]) -> Present {
        Present {
            kubernetes: None,
            google: false,
            policies: bindings.iter().map(|_| policy::example(&[])).collect(),
        }
    }

    /// Returns the state after the changes.
    fn after(present: &Present, bindings: &[Binding], changes: &[Change]) -> Present {
        let mut next = present.clone();
        for change in changes {
            match change {
                Change::KubernetesAccount => next.kubernetes = Some(KubernetesAccount::default()),
                Change::GoogleAccount(_) => next.google = true,
                Change::Annotate { to, .. } => {
                    let account = next.kubernetes.as_mut().expect("made before");
                    account.annotation.clone_from(to);
                }
                Change::Bind(binding) => {
                    for (found, wanted) in next.policies.iter_mut().zip(bindings) {
                        if wanted == binding {
                            *found = policy::with(found, binding).expect("it was missing");
                        }
                    }
                }
            }
        }
        next
    }

    #[test]
    fn from_nothing_everything_is_made_in_order_and_then_nothing() {
        let (identity, bindings) = all(&acting());
        let present = nothing(&bindings);
        let made = changes(&parts(&identity, &bindings, &present));
        let ids: Vec<String> = made.iter().map(Change::id).collect();
        let words: Vec<&str> = ids.iter().filter_map(|id| id.split(' ').next()).collect();
        assert_eq!(
            words,
            [
                "kubernetes-account",
                "google-account",
                "binding",
                "binding",
                "binding",
                "annotation"
            ]
        );
        let next = after(&present, &bindings, &made);
        assert_eq!(changes(&parts(&identity, &bindings, &next)), []);
    }

    #[test]
    fn the_direct_form_removes_a_leftover_annotation() {
        let (identity, bindings) = all(&json!({ "bucket": "contexts" }));
        let mut present = nothing(&bindings);
        present.kubernetes = Some(KubernetesAccount {
            annotation: Some(APP.to_owned()),
            ..KubernetesAccount::default()
        });
        let made = changes(&parts(&identity, &bindings, &present));
        assert!(matches!(made[0], Change::Bind(_)), "{made:?}");
        let removed = Change::Annotate {
            from: Some(APP.to_owned()),
            to: None,
        };
        assert_eq!(made[1..], [removed]);
    }

    #[test]
    fn another_account_s_annotation_is_replaced() {
        let (identity, bindings) = all(&acting());
        let mut present = nothing(&bindings);
        present.kubernetes = Some(KubernetesAccount {
            annotation: Some("old@demo.iam.gserviceaccount.com".to_owned()),
            ..KubernetesAccount::default()
        });
        let made = changes(&parts(&identity, &bindings, &present));
        assert!(
            made.iter().any(|change| matches!(
                change,
                Change::Annotate {
                    from: Some(_),
                    to: Some(_)
                }
            )),
            "{made:?}"
        );
    }
}
