//! Resources of Terraform's providers `google` and `kubernetes`.
//!
//! Only `*_iam_member` is printed for roles: `*_iam_binding` and `*_iam_policy` would take roles from
//! members that they do not list. Resources, arguments and import ids:
//! <https://registry.terraform.io/providers/hashicorp/google/latest/docs> and
//! <https://registry.terraform.io/providers/hashicorp/kubernetes/latest/docs>.

use sidestep::google::{Account, Resource};
use sidestep::kubectl::GOOGLE_ACCOUNT;

use super::labels;
use crate::identity::Workload;
use crate::plan::{Change, Part};
use crate::wanted::{Binding, On};

/// A block and the id by which it imports what exists.
struct Block {
    kind: &'static str,
    /// The lines between the braces.
    body: Vec<String>,
    import: String,
}

/// Returns the lines of the configuration.
pub(crate) fn text(workload: &Workload, parts: &[Part]) -> Vec<String> {
    let names = labels::of(parts, '_');
    let mut lines = vec![format!(
        "# The provider `kubernetes` must use cluster {}.",
        workload.cluster.name
    )];
    let account = parts.iter().zip(&names).find_map(|(part, name)| {
        let made = matches!(part.change, Change::GoogleAccount(_));
        made.then(|| format!("google_service_account.{name}"))
    });
    for (part, name) in parts.iter().zip(&names) {
        let Some(block) = block(workload, part, account.as_deref()) else {
            continue;
        };
        lines.push(String::new());
        lines.push(format!("resource \"{}\" \"{name}\" {{", block.kind));
        lines.extend(block.body);
        lines.push("}".to_owned());
        if part.present {
            lines.push(String::new());
            lines.push("import {".to_owned());
            lines.push(format!("  to = {}.{name}", block.kind));
            lines.push(format!("  id = {}", quoted(&block.import)));
            lines.push("}".to_owned());
        }
    }
    lines
}

/// Returns the block of a part. The annotation is an argument of the Kubernetes account.
fn block(workload: &Workload, part: &Part, account: Option<&str>) -> Option<Block> {
    match &part.change {
        Change::KubernetesAccount => Some(kubernetes(workload)),
        Change::GoogleAccount(google) => Some(google_account(google)),
        Change::Bind(binding) => Some(member(binding, part.title.as_deref(), account)),
        Change::Annotate { .. } => None,
    }
}

fn kubernetes(workload: &Workload) -> Block {
    let mut body = vec![
        "  metadata {".to_owned(),
        format!("    name      = {}", quoted(&workload.account)),
        format!("    namespace = {}", quoted(&workload.namespace)),
    ];
    if let Some(google) = &workload.google {
        body.push("    annotations = {".to_owned());
        body.push(format!(
            "      {} = {}",
            quoted(GOOGLE_ACCOUNT),
            quoted(google.address())
        ));
        body.push("    }".to_owned());
    }
    body.push("  }".to_owned());
    Block {
        kind: "kubernetes_service_account_v1",
        body,
        import: workload.name(),
    }
}

fn google_account(account: &Account) -> Block {
    let project = account.project_id().unwrap_or_default();
    Block {
        kind: "google_service_account",
        body: arguments(&[
            ("project", project),
            ("account_id", account.name().unwrap_or_default()),
        ]),
        import: format!("projects/{project}/serviceAccounts/{}", account.address()),
    }
}

fn member(binding: &Binding, title: Option<&str>, account: Option<&str>) -> Block {
    let name = binding.on.name();
    let (kind, mut body, place) = match &binding.on {
        On::Account(_) => (
            "google_service_account_iam_member",
            arguments(&[("service_account_id", &name)]),
            name,
        ),
        On::Target(Resource::Objects { bucket, .. }) => (
            "google_storage_bucket_iam_member",
            arguments(&[("bucket", bucket)]),
            format!("b/{bucket}"),
        ),
        On::Target(Resource::Repository(repository)) => (
            "google_artifact_registry_repository_iam_member",
            arguments(&[
                ("project", &repository.project),
                ("location", &repository.location),
                ("repository", &repository.name),
            ]),
            name,
        ),
        On::Target(Resource::Secret { project, name: id }) => (
            "google_secret_manager_secret_iam_member",
            arguments(&[("project", project), ("secret_id", id)]),
            name,
        ),
        On::Target(Resource::Project(id)) => (
            "google_project_iam_member",
            arguments(&[("project", id)]),
            id.clone(),
        ),
    };
    body.extend(arguments(&[
        ("role", &binding.role),
        ("member", binding.member()),
    ]));
    let mut import = format!("{place} {} {}", binding.role, binding.member());
    if let Some(condition) = binding.condition() {
        // A condition is recognised by its title, so that of an existing one is kept.
        let title = title.unwrap_or(&condition.title);
        import = format!("{import} {title}");
        body.push("  condition {".to_owned());
        for line in arguments(&[("title", title), ("expression", &condition.expression)]) {
            body.push(format!("  {line}"));
        }
        body.push("  }".to_owned());
    }
    if let Some(account) = account {
        body.push(format!("  depends_on = [{account}]"));
    }
    Block { kind, body, import }
}

fn arguments(arguments: &[(&str, &str)]) -> Vec<String> {
    let line = |(name, value): &(&str, &str)| format!("  {name} = {}", quoted(value));
    arguments.iter().map(line).collect()
}

/// Returns a text as a quoted template without interpolation
/// (<https://developer.hashicorp.com/terraform/language/expressions/strings>).
fn quoted(text: &str) -> String {
    let text = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace("${", "$${")
        .replace("%{", "%%{");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests;
