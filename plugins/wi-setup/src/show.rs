//! Shows a plan to people and to programs.

use sidestep::kubectl::GOOGLE_ACCOUNT;

use crate::identity::Workload;
use crate::outputs::{Entry, Kind};
use crate::plan::{Change, Part};

/// Returns a part for programs.
pub(crate) fn entry(workload: &Workload, change: &Change) -> Entry {
    let mut entry = Entry {
        kind: Kind::KubernetesAccount,
        on: workload.name(),
        role: None,
        member: None,
        condition: None,
        from: None,
        to: None,
    };
    match change {
        Change::KubernetesAccount => {}
        Change::GoogleAccount(account) => {
            entry.kind = Kind::GoogleAccount;
            account.address().clone_into(&mut entry.on);
        }
        Change::Bind(binding) => {
            entry.kind = Kind::Binding;
            entry.on = binding.on.name();
            entry.role = Some(binding.role.clone());
            entry.member = Some(binding.member().to_owned());
            entry.condition = binding.condition().map(|condition| condition.expression);
        }
        Change::Annotate { from, to } => {
            entry.kind = Kind::Annotation;
            entry.from.clone_from(from);
            entry.to.clone_from(to);
        }
    }
    entry
}

/// Returns the lines of one part, without its sign.
pub(crate) fn lines(workload: &Workload, change: &Change) -> Vec<String> {
    match change {
        Change::KubernetesAccount => vec![format!(
            "Kubernetes service account {} on cluster {}",
            workload.name(),
            workload.cluster.name
        )],
        Change::GoogleAccount(account) => {
            vec![format!("Google service account {}", account.address())]
        }
        Change::Bind(binding) => {
            let mut lines = vec![
                format!("{} on {}", binding.role, binding.on.shown()),
                format!("  for {}", binding.member()),
            ];
            if let Some(condition) = binding.condition() {
                lines.push(format!("  if  {}", condition.expression));
            }
            lines
        }
        Change::Annotate { from, to } => {
            let value = |value: &Option<String>| value.clone().unwrap_or_default();
            let mut lines = vec![format!(
                "annotation {GOOGLE_ACCOUNT} on {}",
                workload.name()
            )];
            match (from, to) {
                (Some(from), Some(to)) if from != to => {
                    lines.push(format!("  from {from}"));
                    lines.push(format!("  to   {to}"));
                }
                (_, Some(_)) => lines.push(format!("  {}", value(to))),
                (_, None) => lines.push(format!("  {}", value(from))),
            }
            lines
        }
    }
}

/// Returns the sign of a part: `=` there already, `+` added, `~` changed, `-` removed.
fn sign(part: &Part) -> char {
    match &part.change {
        _ if part.present => '=',
        Change::Annotate { to: None, .. } => '-',
        Change::Annotate { from: Some(_), .. } => '~',
        _ => '+',
    }
}

/// Returns the whole plan for people.
pub(crate) fn diff(workload: &Workload, parts: &[Part]) -> Vec<String> {
    let mut all = Vec::new();
    for part in parts {
        let mut sign = sign(part);
        for line in lines(workload, &part.change) {
            all.push(format!("{sign} {line}"));
            sign = ' ';
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::json;

    use super::*;
    use crate::plan::parts;
    use crate::plan::tests::{APP, acting, all, nothing};
    use crate::present::KubernetesAccount;

    #[test]
    fn every_part_has_its_sign() {
        let (identity, bindings) = all(&acting());
        let mut present = nothing(&bindings);
        present.google = true;
        present.kubernetes = Some(KubernetesAccount {
            annotation: Some("old@demo.iam.gserviceaccount.com".to_owned()),
            ..KubernetesAccount::default()
        });
        let parts = parts(&identity, &bindings, &present);
        assert_eq!(
            diff(&identity.workload, &parts),
            [
                "= Kubernetes service account builds/app on cluster ci",
                "= Google service account app-ci@demo.iam.gserviceaccount.com",
                "+ roles/iam.workloadIdentityUser on app-ci@demo.iam.gserviceaccount.com",
                "    for serviceAccount:demo.svc.id.goog[builds/app]",
                "+ roles/storage.objectViewer on gs://contexts/ci/*",
                "    for serviceAccount:app-ci@demo.iam.gserviceaccount.com",
                "    if  resource.name.startsWith(\"projects/_/buckets/contexts/objects/ci/\")",
                "+ roles/artifactregistry.writer on repository images in europe of demo",
                "    for serviceAccount:app-ci@demo.iam.gserviceaccount.com",
                "~ annotation iam.gke.io/gcp-service-account on builds/app",
                "    from old@demo.iam.gserviceaccount.com",
                "    to   app-ci@demo.iam.gserviceaccount.com",
            ]
        );
    }

    #[test]
    fn programs_get_names_and_no_nulls() {
        let (identity, bindings) = all(&acting());
        let entry = entry(&identity.workload, &Change::Bind(bindings[0].clone()));
        assert_eq!(
            json!(entry),
            json!({
                "kind": "binding",
                "on": format!("projects/demo/serviceAccounts/{APP}"),
                "role": "roles/iam.workloadIdentityUser",
                "member": "serviceAccount:demo.svc.id.goog[builds/app]",
            })
        );
    }
}
