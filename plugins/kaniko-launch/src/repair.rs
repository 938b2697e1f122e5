//! Builds the commands that repair an identity. Each is complete: it looks up itself what this step
//! does not know, and is not built if it can't.

use sidestep::google::{Member, Repository, Resource, grant};
use sidestep::{Cluster, Command, Value};

use crate::inputs::{GoogleKey, Inputs};

/// Returns a command's output as the cluster's workload pool, for a pool that was not read.
pub(crate) fn asked_pool(cluster: &Cluster) -> Option<Value> {
    cluster.gke()?.show_pool()?.output()
}

/// Returns a command's output as the number of the cluster's project.
pub(crate) fn asked_number(cluster: &Cluster) -> Option<Value> {
    cluster.gke()?.show_number()?.output()
}

/// Returns a command's output as the Google account that the Kubernetes one is linked to, for a
/// link that was not read.
pub(crate) fn asked_link(inputs: &Inputs) -> Value {
    sidestep_pod::linked_account(&inputs.namespace, &inputs.service_account)
}

/// Returns a command's output as a field of a key's file. The command shows only that field.
pub(crate) fn asked_of_key(inputs: &Inputs, key: &GoogleKey, field: KeyField) -> Value {
    let path = key.key.replace('.', "\\.");
    let read = Command::new(&["kubectl", "get", "secret"])
        .value(&key.secret)
        .option("-n", &inputs.namespace)
        .words(&["-o"])
        .joined(["jsonpath={.data.".into(), path.into(), "}".into()]);
    let decode = Command::new(&["base64", "-d"]).reading(read.build());
    Command::new(&["sed", "-n"])
        .words(&[match field {
            KeyField::ClientEmail => r#"s/.*"client_email": *"\([^"]*\)".*/\1/p"#,
            KeyField::PrivateKeyId => r#"s/.*"private_key_id": *"\([^"]*\)".*/\1/p"#,
        }])
        .reading(decode.build())
        .build()
        .and_then(Command::output)
        .into()
}

/// A field of a service account key's file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeyField {
    /// The address of the key's account.
    ClientEmail,
    /// The key's id within the account.
    PrivateKeyId,
}

/// Returns the grant that lets a member read the objects in the context's folder. None for a
/// context without a folder: the grant would open the whole bucket.
pub(crate) fn grant_reader(member: &Member, context: &str) -> Option<Command> {
    grant(
        &Resource::folder_of(context)?,
        member,
        "roles/storage.objectViewer",
    )
}

/// Lets a member push to a repository of Artifact Registry.
pub(crate) fn grant_writer(member: &Member, repository: Repository) -> Option<Command> {
    let resource = Resource::Repository(repository);
    grant(&resource, member, "roles/artifactregistry.writer")
}

/// Returns the commands that delete a key, which invalidates every copy of it.
pub(crate) fn end_key(inputs: &Inputs, key: &GoogleKey) -> Vec<Command> {
    let delete = Command::new(&["gcloud", "iam", "service-accounts", "keys", "delete"])
        .value(asked_of_key(inputs, key, KeyField::PrivateKeyId))
        .option(
            "--iam-account",
            asked_of_key(inputs, key, KeyField::ClientEmail),
        )
        .words(&["--quiet"]);
    let forget = Command::new(&["kubectl", "delete", "secret"])
        .value(&key.secret)
        .option("-n", &inputs.namespace);
    [delete.build(), forget.build()]
        .into_iter()
        .flatten()
        .collect()
}

/// Shows what a Secret holds, without its values.
pub(crate) fn describe_secret(inputs: &Inputs, key: &GoogleKey) -> Option<Command> {
    Command::new(&["kubectl", "describe", "secret"])
        .value(&key.secret)
        .option("-n", &inputs.namespace)
        .build()
}

/// Lists what a context holds.
pub(crate) fn list_context(inputs: &Inputs) -> Option<Command> {
    on_context("ls", inputs).value(inputs.path.as_str()).build()
}

/// Says which rule of an ignore file decides about a path.
pub(crate) fn explain_context(path: &str, inputs: &Inputs) -> Option<Command> {
    on_context("explain", inputs)
        .value(path)
        .value(inputs.path.as_str())
        .build()
}

/// Returns a command about the context. The Dockerfile decides which ignore file counts.
fn on_context(command: &'static str, inputs: &Inputs) -> sidestep::Builder {
    let command = Command::new(&["sidestep", "context", command]);
    match inputs.dockerfile.as_str() {
        "Dockerfile" => command,
        other => command.option("--dockerfile", other),
    }
}

#[cfg(test)]
mod tests {
    use sidestep::google::let_act_as;
    use sidestep::serde_json::json;

    use super::*;
    use crate::inputs::example;

    fn line(command: Option<Command>) -> String {
        command.expect("a command").to_line()
    }

    fn lines(commands: &[Command]) -> Vec<String> {
        commands.iter().map(Command::to_line).collect()
    }

    #[test]
    fn known_facts_stand_in_the_command() {
        let inputs = example(&json!({}));
        let member = Member::account("builder@demo.iam.gserviceaccount.com");
        assert_eq!(
            line(grant_reader(&member, &inputs.context)),
            "gcloud storage buckets add-iam-policy-binding gs://contexts --member serviceAccount:builder@demo.iam.gserviceaccount.com --role roles/storage.objectViewer '--condition=expression=resource.name.startsWith(\"projects/_/buckets/contexts/objects/team/\"),title=objects-of-a-prefix'"
        );
        assert_eq!(
            grant_reader(&member, "gs://contexts/a.tar.gz"),
            None,
            "it is in no folder, and the whole bucket is too much"
        );
    }

    #[test]
    fn unknown_ones_are_asked_for_by_the_command() {
        let inputs = example(&json!({ "googleKey": { "secret": "builder-key" } }));
        let pool = asked_pool(&inputs.cluster).expect("a GKE cluster");
        let member = Member::workload(pool, "builds", "kaniko");
        let command = line(let_act_as(asked_link(&inputs), &member));
        assert!(
            command.contains("serviceAccount:\"$(gcloud container clusters describe ci "),
            "{command}"
        );
        assert!(
            command.contains(")\"'[builds/kaniko]' --condition=None"),
            "{command}"
        );
        let ends = end_key(&inputs, inputs.google_key.as_ref().expect("a key"));
        let [key, secret] = &lines(&ends)[..] else {
            panic!("{ends:?}");
        };
        assert!(
            key.contains(r"-o 'jsonpath={.data.key\.json}' | base64 -d"),
            "{key}"
        );
        assert_eq!(secret, "kubectl delete secret builder-key -n builds");
    }

    #[test]
    fn nothing_is_printed_of_a_cluster_that_only_settings_know() {
        let cluster: Cluster = "staging".parse().expect("a name");
        assert_eq!(asked_pool(&cluster), None);
        assert_eq!(asked_number(&cluster), None);
    }
}
