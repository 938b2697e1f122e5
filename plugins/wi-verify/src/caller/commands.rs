//! Commands that repair a link of a job.

use sidestep::Command;
use sidestep::google::is_number;
use sidestep::serde_json::json;

use super::provider::Name;
use crate::identity::Workload;
use crate::inputs::Job;

/// Checks the job with the credentials of the person who runs the command.
pub(super) fn check_job(workload: &Workload, job: &Job) -> Option<Command> {
    let input = |name: &str, value: &str| format!("{name}={value}");
    let mut told = json!({ "provider": job.provider, "claims": job.claims });
    if let Some(account) = &job.service_account {
        told["serviceAccount"] = json!(account);
    }
    Command::new(&["sidestep", "exec", "wi-verify"])
        .option("-i", input("cluster", &workload.cluster_name()))
        .option("-i", input("namespace", &workload.namespace))
        .option("-i", input("serviceAccount", &workload.account))
        .option("-i", input("caller", &told.to_string()))
        .build()
}

/// Shows the number of a project.
pub(super) fn show_number(project: &str) -> Option<Command> {
    let show = Command::new(&["gcloud", "projects", "describe"])
        .value(project)
        .words(&["--format=value(projectNumber)"]);
    (!is_number(project)).then(|| show.build())?
}

fn pools() -> [&'static str; 3] {
    ["gcloud", "iam", "workload-identity-pools"]
}

/// Lists the providers of a pool. gcloud takes no project's number as `--project`, but whole names.
pub(super) fn list_providers(pool: &str) -> Option<Command> {
    Command::new(&pools())
        .words(&["providers", "list"])
        .option("--workload-identity-pool", pool)
        .build()
}

/// Lists the pools of a project.
pub(super) fn list_pools(project: &str) -> Option<Command> {
    let location = format!("projects/{project}/locations/global");
    Command::new(&pools())
        .words(&["list"])
        .option("--location", location)
        .build()
}

/// Restores a deleted pool.
pub(super) fn undelete_pool(name: &Name) -> Option<Command> {
    Command::new(&pools())
        .words(&["undelete"])
        .value(name.pool_name())
        .build()
}

/// Enables a pool.
pub(super) fn enable_pool(name: &Name) -> Option<Command> {
    Command::new(&pools())
        .words(&["update"])
        .value(name.pool_name())
        .words(&["--no-disabled"])
        .build()
}

/// Restores a deleted provider.
pub(super) fn undelete_provider(name: &Name) -> Option<Command> {
    Command::new(&pools())
        .words(&["providers", "undelete"])
        .value(name.text())
        .build()
}

/// Changes one setting of an OIDC provider.
pub(super) fn update(name: &Name, option: &'static str, value: &str) -> Option<Command> {
    Command::new(&pools())
        .words(&["providers", "update-oidc"])
        .value(name.text())
        .option(option, value)
        .build()
}

/// Enables a provider.
pub(super) fn enable_provider(name: &Name) -> Option<Command> {
    Command::new(&pools())
        .words(&["providers", "update-oidc"])
        .value(name.text())
        .words(&["--no-disabled"])
        .build()
}
