//! gcloud's words for bindings.

use super::{On, project_of};
use crate::least::Account;

/// Who pods are to Google: their service account itself, which takes no Google service account.
pub(super) fn pod(account: &Account, number: usize) -> String {
    let Account {
        cluster,
        namespace,
        name,
    } = account;
    let project = project_of(cluster).unwrap_or("PROJECT");
    [
        String::new(),
        format!("# The pods of {namespace}/{name} in {cluster}."),
        "# Where that service account acts as one of Google's (its annotation".to_owned(),
        "# iam.gke.io/gcp-service-account), the roles are for that one:".to_owned(),
        format!("# POD_{number}=serviceAccount:E-MAIL"),
        format!(
            "POD_{number}=\"${{POD_{number}:-principal://iam.googleapis.com/projects/$(gcloud \
             projects describe {} --format='value(projectNumber)')/locations/global/\
             workloadIdentityPools/{project}.svc.id.goog/subject/ns/{namespace}/sa/{name}}}\"\n",
            quote(project)
        ),
    ]
    .join("\n")
}

/// The command that gives a role on something to whoever the shell's variable names.
pub(super) fn command(on: &On, role: &str, who: &str, title: &str) -> String {
    let (resource, condition) = match on {
        On::Project(project) => (
            format!("projects add-iam-policy-binding {}", quote(project)),
            None,
        ),
        On::Bucket(bucket, prefix) => {
            // Conditions hold on buckets with uniform access only.
            let name = format!("projects/_/buckets/{bucket}/objects/{prefix}");
            let condition =
                format!("expression=resource.name.startsWith(\"{name}\"),title={title}");
            let bucket = quote(&format!("gs://{bucket}"));
            (
                format!("storage buckets add-iam-policy-binding {bucket}"),
                (!prefix.is_empty()).then_some(condition),
            )
        }
        On::Repository {
            project,
            location,
            name,
        } => (
            format!(
                "artifacts repositories add-iam-policy-binding {} --project={} --location={}",
                quote(name),
                quote(project),
                quote(location)
            ),
            None,
        ),
        On::Secret { project, name } => (
            format!(
                "secrets add-iam-policy-binding {} --project={}",
                quote(name),
                quote(project)
            ),
            None,
        ),
        On::Account(email) => (
            format!(
                "iam service-accounts add-iam-policy-binding {}",
                quote(email)
            ),
            None,
        ),
    };
    // Said outright, or gcloud asks wherever a policy has conditions already.
    let condition = condition.map_or_else(|| "None".to_owned(), |text| quote(&text));
    format!("gcloud {resource} --member=\"${who}\" --role={role} --condition={condition}\n")
}

/// A word of a shell's, in quotes where it needs them.
pub(super) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
