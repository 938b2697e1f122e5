//! gcloud commands for bindings.

use sidestep_contract::google::{Cluster, condition};
use sidestep_events::show;

use super::On;
use crate::least::Account;

/// Returns the shell lines that set the principal of pods: their Kubernetes service account itself,
/// without a Google service account.
pub(super) fn pod(account: &Account, number: usize) -> String {
    let Account {
        cluster,
        namespace,
        name,
    } = account;
    let known = Cluster::read(cluster);
    let known = known.and_then(|cluster| Some((cluster.pool_to_be()?, cluster.project)));
    let Some((pool, project)) = known else {
        // Only the operator's settings define such a cluster, or only GKE knows the name of its
        // pool.
        return format!(
            "\n# The pods of {}/{} in {}.\n: \"${{POD_{number}:?set it to the IAM member of these pods}}\"\n",
            show::line(namespace),
            show::line(name),
            show::line(cluster)
        );
    };
    let subject = format!("{pool}/subject/ns/{namespace}/sa/{name}");
    [
        String::new(),
        format!(
            "# The pods of {}/{} in {}.",
            show::line(namespace),
            show::line(name),
            show::line(cluster)
        ),
        "# If that service account impersonates a Google service account (annotation".to_owned(),
        "# iam.gke.io/gcp-service-account), grant the roles to the Google account instead:"
            .to_owned(),
        format!("# POD_{number}=serviceAccount:E-MAIL"),
        format!(
            "[ \"${{POD_{number}:-}}\" ] || POD_{number}=\"principal://iam.googleapis.com/projects/\
             $(gcloud projects describe {} --format='value(projectNumber)')/locations/global/\
             workloadIdentityPools/\"{}\n",
            show::shell_word(&project),
            show::shell_word(&subject)
        ),
    ]
    .join("\n")
}

/// Returns the command that grants a role on a resource to the principal in the shell variable.
pub(super) fn command(on: &On, role: &str, who: &str, title: &str) -> String {
    let (resource, condition) = match on {
        On::Project(project) => (
            format!(
                "projects add-iam-policy-binding {}",
                show::shell_word(project)
            ),
            None,
        ),
        On::Bucket(bucket, prefix) => {
            // Conditions only work on buckets with uniform access.
            let expression = condition::of_grant(bucket, prefix);
            let condition = condition::entries(&[("expression", &expression), ("title", title)]);
            let bucket = show::shell_word(&format!("gs://{bucket}"));
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
                show::shell_word(name),
                show::shell_word(project),
                show::shell_word(location)
            ),
            None,
        ),
        On::Secret { project, name } => (
            format!(
                "secrets add-iam-policy-binding {} --project={}",
                show::shell_word(name),
                show::shell_word(project)
            ),
            None,
        ),
        On::Account(email) => (
            format!(
                "iam service-accounts add-iam-policy-binding {}",
                show::shell_word(email)
            ),
            None,
        ),
    };
    // Explicit, because gcloud asks if a policy already has conditions.
    let condition = condition.map_or_else(|| "None".to_owned(), |text| show::shell_word(&text));
    format!("gcloud {resource} --member=\"${who}\" --role={role} --condition={condition}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pool_s_name_is_made_up() {
        let account = |cluster: &str| Account {
            cluster: cluster.to_owned(),
            namespace: "builds".to_owned(),
            name: "kaniko".to_owned(),
        };
        let plain = pod(&account("projects/demo/locations/l/clusters/c"), 1);
        assert!(
            plain.contains("demo.svc.id.goog/subject/ns/builds/sa/kaniko"),
            "{plain}"
        );
        for cluster in ["projects/example.com:web/locations/l/clusters/c", "staging"] {
            let asked = pod(&account(cluster), 1);
            assert!(asked.contains(":?set it"), "{asked}");
            assert!(!asked.contains("svc.id.goog"), "{asked}");
        }
    }

    #[test]
    fn no_prefix_adds_a_key_to_a_condition() {
        let on = On::Bucket("b".to_owned(), "x,title=all/".to_owned());
        let printed = command(&on, "roles/storage.objectViewer", "RUNNER", "t");
        let name = "projects/_/buckets/b/objects/x,title=all/";
        let value = format!("^|0|^expression=resource.name.startsWith(\"{name}\")|0|title=t");
        assert!(printed.contains(&show::shell_word(&value)), "{printed}");
    }
}
