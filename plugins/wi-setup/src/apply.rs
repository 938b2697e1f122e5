//! Makes the changes of a plan.

use std::time::Duration;

use sidestep::gcp::iam::Policy;
use sidestep::gcp::iam_write::{self, NewServiceAccount};
use sidestep::google::Account;
use sidestep::kubernetes::{self, ApplyOptions};
use sidestep::serde_json::{Map, Value, json};
use sidestep::{Class, Error, OnExit, Owner, Result, Step, codes, kubectl};

use crate::format::gcloud;
use crate::identity::{Identity, Workload};
use crate::mark::{self, Mark};
use crate::plan::Change;
use crate::present::{self, KubernetesAccount, Present};
use crate::wanted::Binding;
use crate::{policy, refusal, show};

/// The first pause before another attempt.
const SHORT: Duration = Duration::from_millis(100);
/// The longest pause between attempts.
const LONG: Duration = Duration::from_secs(5);

/// Makes the changes in their order. Each is a success if another client made it meanwhile.
///
/// The record is written first, so that a step that is killed leaves nothing that is not recorded.
pub(crate) fn apply(
    step: &Step,
    identity: &Identity,
    present: &Present,
    changes: &[Change],
    wait: Duration,
) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let workload = &identity.workload;
    let before = present.kubernetes.clone().unwrap_or_default();
    let mark = before.mark.clone().and(changes);
    if present.kubernetes.is_some() {
        same(workload, &before)?;
    }
    write(workload, before.annotation.as_deref(), &mark)?;
    for change in changes {
        match change {
            Change::KubernetesAccount => {}
            Change::GoogleAccount(account) => create(identity, account)?,
            Change::Bind(binding) => {
                self::change(step, binding, wait, policy::with)
                    .map_err(|error| told(workload, change, error))?;
            }
            Change::Annotate { to, .. } => {
                let marked = KubernetesAccount {
                    mark: mark.clone(),
                    ..before.clone()
                };
                same(workload, &marked)?;
                annotate(workload, to.as_deref(), &mark)?;
            }
        }
        if let Some(line) = show::lines(workload, change).first() {
            let done = match change {
                Change::Annotate { to: None, .. } => "removed",
                _ => "made",
            };
            sidestep::info!("{done}: {line}");
        }
    }
    Ok(())
}

/// Checks that the Kubernetes service account is as the plan has read or left it.
pub(crate) fn same(workload: &Workload, known: &KubernetesAccount) -> Result<()> {
    let found = present::kubernetes_account(workload)?;
    if &found == known {
        return Ok(());
    }
    Err(Error::new(
        Class::Conflict,
        codes::identity::CHANGED_MEANWHILE,
        Owner::Cluster,
        format!(
            "the service account {} on cluster {} changed since the step read it",
            workload.name(),
            workload.cluster.name
        ),
    )
    .help("run the step again: it reads the present state"))
}

/// Sets or removes the annotation that names the Google service account.
pub(crate) fn annotate(workload: &Workload, to: Option<&str>, mark: &Mark) -> Result<()> {
    if to.is_none() {
        // A field that another manager owns can't be removed: an empty value takes it over first
        // (Kubernetes, "Server-Side Apply"). GKE ignores an empty value.
        write(workload, Some(""), mark)?;
    }
    write(workload, to, mark)
}

/// Writes the Kubernetes service account: only its two annotations belong to this plugin.
pub(crate) fn write(workload: &Workload, annotation: Option<&str>, mark: &Mark) -> Result<()> {
    let mut annotations = Map::new();
    if let Some(value) = annotation {
        annotations.insert(kubectl::GOOGLE_ACCOUNT.to_owned(), value.into());
    }
    if !mark.is_empty() {
        annotations.insert(mark::ANNOTATION.to_owned(), mark.text().into());
    }
    let object = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": workload.account,
            "namespace": workload.namespace,
            "annotations": Value::Object(annotations),
        },
    });
    let options = ApplyOptions {
        // The plan has shown the value that is replaced.
        force: true,
        on_exit: OnExit::Keep,
        dry_run: false,
    };
    kubernetes::apply(&present::object(workload), &object, options).map(|_| ())
}

/// Creates the Google service account.
fn create(identity: &Identity, account: &Account) -> Result<()> {
    let workload = &identity.workload;
    let (Some(name), Some(project)) = (account.name(), account.project_id()) else {
        return Err(Error::bug("an account without a project was planned"));
    };
    let new = NewServiceAccount {
        project: project.to_owned(),
        account_id: name.to_owned(),
        display_name: None,
        description: Some(mark::description(workload)),
    };
    match iam_write::create_service_account(&new) {
        // Another client created it, with its own description: it is there.
        Err(error) if error.code == codes::iam::CONFLICT => Ok(()),
        other => other.map(|_| ()),
    }
}

/// Grants or takes back a role. Each attempt reads the policy anew and changes only one member of
/// it, so that no change of another client is lost. `edit` returns `None` if nothing is to do.
pub(crate) fn change(
    step: &Step,
    binding: &Binding,
    wait: Duration,
    edit: impl Fn(&Policy, &Binding) -> Option<Policy>,
) -> Result<()> {
    let until = step.now().saturating_add(millis(wait));
    let mut pause = SHORT;
    loop {
        let attempt = present::policy(binding).and_then(|found| {
            let Some(next) = edit(&found, binding) else {
                return Ok(());
            };
            iam_write::set_policy(&binding.on.policed(), &next).map(|_| ())
        });
        let Err(error) = attempt else {
            return Ok(());
        };
        if !refusal::passes(&error) {
            return Err(error);
        }
        if step.now() >= until {
            return Err(refusal::too_long(error, wait));
        }
        sidestep::debug!("trying again: {}", error.message);
        step.sleep(jittered(step, pause))?;
        pause = (pause * 2).min(LONG);
    }
}

/// Returns a time between the pause's half and the whole of it, so that clients that meet once do
/// not meet again.
fn jittered(step: &Step, pause: Duration) -> Duration {
    let random = step.random(1).first().copied().unwrap_or(u8::MAX);
    pause / 2 + (pause / 2) * u32::from(random) / u32::from(u8::MAX)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the failure of a change, with the command for an administrator who may make it.
pub(crate) fn told(workload: &Workload, change: &Change, error: Error) -> Error {
    let denied = error.class == Class::Denied;
    let error = refusal::named(error);
    if denied && error.code != codes::identity::PERIMETER_DENIED {
        return error
            .help("an administrator of the resource can make this change:")
            .helps(gcloud::command(workload, change));
    }
    error
}
