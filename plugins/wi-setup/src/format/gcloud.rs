//! Commands for gcloud and kubectl: the repairs that a diagnosis prints, for every change.

use sidestep::google::{grant, let_act_as};
use sidestep::{Command, kubectl};

use crate::identity::Workload;
use crate::plan::Change;
use crate::wanted::On;

/// Returns the command that makes a change; none if a name in it can't be written in a command.
pub(crate) fn command(workload: &Workload, change: &Change) -> Option<Command> {
    let Workload {
        namespace, account, ..
    } = workload;
    match change {
        Change::KubernetesAccount => kubectl::create_account(namespace, account),
        Change::GoogleAccount(google) => google.create(),
        Change::Bind(binding) => match &binding.on {
            On::Account(google) => let_act_as(google.address(), &binding.member),
            On::Target(place) => grant(place, &binding.member, &binding.role),
        },
        Change::Annotate { to: Some(to), .. } => kubectl::annotate(namespace, account, to),
        Change::Annotate { to: None, .. } => kubectl::remove_annotation(namespace, account),
    }
}

/// Returns the lines of the script that makes the changes.
pub(crate) fn script(workload: &Workload, changes: &[Change]) -> Vec<String> {
    if changes.is_empty() {
        return vec!["# nothing to change".to_owned()];
    }
    let mut lines = vec![format!(
        "# kubectl must use cluster {}.",
        workload.cluster.name
    )];
    let creates = |change: &Change| matches!(change, Change::GoogleAccount(_));
    if changes.iter().any(creates) {
        lines.push(
            "# Google may not know a new service account for up to a minute: repeat a command"
                .into(),
        );
        lines.push("# that says that it does not exist.".into());
    }
    lines.extend(
        changes
            .iter()
            .map(|change| match command(workload, change) {
                Some(command) => command.to_line(),
                None => format!("# no command is known for: {}", change.id()),
            }),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{acting, all, nothing};
    use crate::plan::{changes, parts};

    #[test]
    fn every_change_is_a_command() {
        let (identity, bindings) = all(&acting());
        let changes = changes(&parts(&identity, &bindings, &nothing(&bindings)));
        let script = script(&identity.workload, &changes);
        let commands: Vec<&String> = script.iter().filter(|l| !l.starts_with('#')).collect();
        assert_eq!(
            commands,
            [
                "kubectl create serviceaccount app -n builds",
                "gcloud iam service-accounts create app-ci --project demo",
                "gcloud iam service-accounts add-iam-policy-binding app-ci@demo.iam.gserviceaccount.com --project demo --role roles/iam.workloadIdentityUser --member 'serviceAccount:demo.svc.id.goog[builds/app]' --condition=None",
                "gcloud storage buckets add-iam-policy-binding gs://contexts --member serviceAccount:app-ci@demo.iam.gserviceaccount.com --role roles/storage.objectViewer '--condition=expression=resource.name.startsWith(\"projects/_/buckets/contexts/objects/ci/\"),title=objects-of-a-prefix'",
                "gcloud artifacts repositories add-iam-policy-binding images --location europe --project demo --member serviceAccount:app-ci@demo.iam.gserviceaccount.com --role roles/artifactregistry.writer --condition=None",
                "kubectl annotate serviceaccount app -n builds iam.gke.io/gcp-service-account=app-ci@demo.iam.gserviceaccount.com --overwrite",
            ]
        );
    }
}
