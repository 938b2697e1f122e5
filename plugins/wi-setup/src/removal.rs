//! Takes back what earlier runs made: only what their record lists, members before accounts.

use std::time::Duration;

use sidestep::google::Account;
use sidestep::kubernetes::{self, DeleteOptions, ListQuery};
use sidestep::{Command, Result, Step};

use crate::identity::{Identity, Workload};
use crate::mark::Mark;
use crate::plan::{Change, Part};
use crate::present::{self, KubernetesAccount, Present};
use crate::{apply, policy, show};

/// The parts of the wanted state, as a removal sees them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Removal {
    /// The changes to take back, in order: first the annotation, so that no new pod gets an identity
    /// whose roles are going; the Kubernetes service account last, because it carries the record.
    pub(crate) back: Vec<Change>,
    /// The parts that are there, but that no record lists.
    pub(crate) kept: Vec<Change>,
    /// The Google service account, if the record lists it. It is not deleted: what used it can't be
    /// seen from here.
    pub(crate) account: Option<Account>,
    /// The names in the record that these inputs do not cover.
    pub(crate) others: Vec<String>,
}

/// Returns what a removal takes back.
pub(crate) fn of(parts: &[Part], mark: &Mark) -> Removal {
    let mut removal = Removal::default();
    let mut covered = Vec::new();
    for part in parts.iter().rev() {
        covered.push(part.change.id());
        match &part.change {
            _ if !part.present => {}
            change if !mark.has(change) => removal.kept.push(change.clone()),
            Change::GoogleAccount(account) => removal.account = Some(account.clone()),
            // An account whose other parts stay is still in use.
            Change::KubernetesAccount => {}
            change => removal.back.push(change.clone()),
        }
    }
    let others = mark.made().iter().filter(|made| !covered.contains(made));
    removal.others = others.cloned().collect();
    let account = Change::KubernetesAccount;
    if mark.has(&account) && removal.others.is_empty() {
        removal.back.push(account);
    }
    removal
}

/// Returns the removal for people.
pub(crate) fn lines(workload: &Workload, removal: &Removal) -> Vec<String> {
    let mut all = Vec::new();
    let mut add = |sign: char, change: &Change, remark: &str| {
        let mut sign = sign;
        for (number, line) in show::lines(workload, change).into_iter().enumerate() {
            let remark = if number == 0 { remark } else { "" };
            all.push(format!("{sign} {line}{remark}"));
            sign = ' ';
        }
    };
    for change in &removal.back {
        add('-', change, "");
    }
    if let Some(account) = &removal.account {
        let change = Change::GoogleAccount(account.clone());
        add('=', &change, " (kept: see the warning)");
    }
    for change in &removal.kept {
        add('=', change, " (kept: wi-setup did not make it)");
    }
    all.extend(
        removal
            .others
            .iter()
            .map(|id| format!("= {id} (kept: these inputs do not name it)")),
    );
    all
}

/// Takes the changes back.
pub(crate) fn remove(
    step: &Step,
    identity: &Identity,
    present: &Present,
    removal: &Removal,
    wait: Duration,
) -> Result<()> {
    let workload = &identity.workload;
    let Some(mut known) = present.kubernetes.clone() else {
        return Ok(());
    };
    for change in &removal.back {
        match change {
            Change::Annotate { .. } => {
                apply::same(workload, &known)?;
                known = KubernetesAccount {
                    annotation: None,
                    mark: known.mark.without(change),
                };
                apply::annotate(workload, None, &known.mark)?;
            }
            Change::Bind(binding) => {
                apply::change(step, binding, wait, policy::without)
                    .map_err(|error| apply::told(workload, change, error))?;
                known.mark = known.mark.without(change);
                apply::write(workload, known.annotation.as_deref(), &known.mark)?;
            }
            Change::KubernetesAccount if is_used(workload)? => {
                sidestep::info!("kept: pods run as {}", workload.name());
                continue;
            }
            Change::KubernetesAccount => {
                kubernetes::delete(
                    &present::object(workload),
                    &DeleteOptions {
                        uid: None,
                        grace: None,
                        wait: None,
                    },
                )?;
            }
            Change::GoogleAccount(_) => {}
        }
        if let Some(line) = show::lines(workload, change).first() {
            sidestep::info!("taken back: {line}");
        }
    }
    Ok(())
}

/// Returns whether a pod runs as the account.
fn is_used(workload: &Workload) -> Result<bool> {
    let query = ListQuery {
        cluster: workload.cluster_name(),
        api_version: "v1".to_owned(),
        resource: "pods".to_owned(),
        namespace: Some(workload.namespace.clone()),
        label_selector: None,
        field_selector: Some(format!("spec.serviceAccountName={}", workload.account)),
        max: 1,
    };
    Ok(!kubernetes::list(query)?.items.is_empty())
}

/// Warns that the Google service account stays, with its other users, and prints how to delete it.
pub(crate) fn warn(identity: &Identity, parts: &[Part], present: &Present, account: &Account) {
    let actor = identity.actor();
    let actor = actor.text().unwrap_or_default();
    let bindings = parts
        .iter()
        .filter(|part| matches!(part.change, Change::Bind(_)));
    let own = bindings
        .zip(&present.policies)
        .find(|(part, _)| matches!(&part.change, Change::Bind(binding) if binding.on.shown() == account.address()));
    let members = own.into_iter().flat_map(|(_, policy)| &policy.bindings);
    let mut others: Vec<&str> = members
        .flat_map(|binding| &binding.members)
        .map(String::as_str)
        .filter(|member| *member != actor)
        .collect();
    others.sort_unstable();
    others.dedup();
    for (number, line) in note(account, &others).iter().enumerate() {
        if number == 0 {
            sidestep::warn!("{line}");
        } else {
            sidestep::info!("{line}");
        }
    }
}

fn note(account: &Account, others: &[&str]) -> Vec<String> {
    let email = account.address();
    let mut message = format!("wi-setup made {email} and does not delete it");
    if !others.is_empty() {
        message.push_str(&format!("; it is used by {} too", others.join(", ")));
    }
    let delete = Command::new(&["gcloud", "iam", "service-accounts", "delete"])
        .value(email)
        .option("--project", account.project_id())
        .build();
    let mut lines = vec![
        message,
        "to delete it, once nothing else uses it:".to_owned(),
    ];
    lines.extend(delete.map(|command| command.to_line()));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::parts;
    use crate::plan::tests::{acting, all, nothing};
    use crate::policy;

    /// Returns the parts when everything is there.
    fn there() -> (Identity, Vec<Part>) {
        let (identity, bindings) = all(&acting());
        let mut present = nothing(&bindings);
        present.google = true;
        let annotation = identity.workload.google.as_ref();
        present.kubernetes = Some(KubernetesAccount {
            annotation: annotation.map(|account| account.address().to_owned()),
            mark: Mark::default(),
        });
        for (found, wanted) in present.policies.iter_mut().zip(&bindings) {
            *found = policy::with(found, wanted).expect("it was missing");
        }
        let parts = parts(&identity, &bindings, &present);
        assert!(parts.iter().all(|part| part.present));
        (identity, parts)
    }

    #[test]
    fn all_that_was_made_goes_in_the_opposite_order() {
        let (_, parts) = there();
        let mark = Mark::default().and(parts.iter().map(|part| &part.change));
        let removal = of(&parts, &mark);
        let ids: Vec<String> = removal.back.iter().map(Change::id).collect();
        let words: Vec<&str> = ids.iter().filter_map(|id| id.split(' ').next()).collect();
        assert_eq!(
            words,
            [
                "annotation",
                "binding",
                "binding",
                "binding",
                "kubernetes-account"
            ]
        );
        assert!(removal.account.is_some(), "it is named, not deleted");
        assert_eq!(removal.kept, []);
    }

    #[test]
    fn what_no_record_lists_is_kept() {
        let (_, parts) = there();
        let removal = of(&parts, &Mark::default());
        assert_eq!(removal.back, []);
        assert_eq!(removal.kept.len(), parts.len());
        assert_eq!(removal.account, None);
    }

    #[test]
    fn an_account_with_other_recorded_parts_stays() {
        let (_, parts) = there();
        let (some, rest) = parts.split_at(3);
        let mark = Mark::default().and(parts.iter().map(|part| &part.change));
        let removal = of(some, &mark);
        assert_eq!(removal.others.len(), rest.len());
        assert!(!removal.back.contains(&Change::KubernetesAccount));
    }

    #[test]
    fn the_other_users_of_an_account_are_named() {
        let account = Account::read("app-ci@demo.iam.gserviceaccount.com").expect("an account");
        let note = note(&account, &["user:a@x.org"]);
        assert!(note[0].contains("used by user:a@x.org too"));
        assert_eq!(
            note[2],
            "gcloud iam service-accounts delete app-ci@demo.iam.gserviceaccount.com --project demo"
        );
    }
}
