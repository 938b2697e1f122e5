//! Builds the commands that repair an identity. Each is complete: it looks up itself what this step
//! does not know, and is not built where it can't.

use sidestep::{Cluster, Command, ImageRef, Value};

use crate::inputs::{GoogleKey, Inputs};

/// The annotation that links a Kubernetes service account to a Google one.
pub(crate) const LINK: &str = "iam.gke.io/gcp-service-account";

/// Turns Workload Identity on.
pub(crate) fn make_pool(cluster: &Cluster) -> Option<Command> {
    let project = cluster.project();
    Command::new(&["gcloud", "container", "clusters", "update"])
        .value(cluster.name())
        .option("--location", cluster.location())
        .option("--project", project)
        .joined([
            "--workload-pool=".into(),
            project.into(),
            ".svc.id.goog".into(),
        ])
        .build()
}

/// Lets node pools serve workload identities: these, or all that don't where they are not known.
pub(crate) fn serve_identities(cluster: &Cluster, pools: &[&str]) -> Vec<Command> {
    let of = |command: sidestep::Builder| {
        command
            .option("--cluster", cluster.name())
            .option("--location", cluster.location())
            .option("--project", cluster.project())
    };
    let update = |pool: &str, first: &[&'static str]| {
        let update = ["gcloud", "container", "node-pools", "update"];
        of(Command::new(first).words(&update).value(pool))
            .words(&["--workload-metadata=GKE_METADATA"])
    };
    if !pools.is_empty() {
        let updates = pools.iter().map(|pool| update(pool, &[]).build());
        return updates.flatten().collect();
    }
    let list = of(Command::new(&["gcloud", "container", "node-pools", "list"])).words(&[
        "--filter=NOT config.workloadMetadataConfig.mode=GKE_METADATA",
        "--format=value(name)",
    ]);
    let each = update("{}", &["xargs", "-I", "{}"]).reading(list.build());
    each.build().into_iter().collect()
}

/// The cluster's workload pool, where GKE was not asked.
pub(crate) fn asked_pool(cluster: &Cluster) -> Option<Value> {
    Command::new(&["gcloud", "container", "clusters", "describe"])
        .value(cluster.name())
        .option("--location", cluster.location())
        .option("--project", cluster.project())
        .words(&["--format=value(workloadIdentityConfig.workloadPool)"])
        .build()
        .and_then(Command::output)
}

/// The number of the cluster's project.
pub(crate) fn asked_number(cluster: &Cluster) -> Option<Value> {
    Command::new(&["gcloud", "projects", "describe"])
        .value(cluster.project())
        .words(&["--format=value(projectNumber)"])
        .build()
        .and_then(Command::output)
}

/// The Google account that the Kubernetes one is linked to, where the cluster did not tell.
pub(crate) fn asked_link(inputs: &Inputs) -> Value {
    Command::new(&["kubectl", "get", "serviceaccount"])
        .value(&inputs.service_account)
        .option("-n", &inputs.namespace)
        .words(&[
            "-o",
            r"jsonpath={.metadata.annotations.iam\.gke\.io/gcp-service-account}",
        ])
        .build()
        .and_then(Command::output)
        .into()
}

/// A field of a key's file. Only that field is shown.
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
    /// Whose key it is.
    ClientEmail,
    /// Which of the account's keys it is.
    PrivateKeyId,
}

/// Makes a Google service account again.
pub(crate) fn make_account(address: &str) -> Option<Command> {
    let (name, project) = parts(address)?;
    Command::new(&["gcloud", "iam", "service-accounts", "create"])
        .value(name)
        .option("--project", project)
        .build()
}

/// Lets the workload act as a Google service account; `pool` is the cluster's.
pub(crate) fn bind(inputs: &Inputs, account: &Value, pool: impl Into<Value>) -> Option<Command> {
    let member = Value::joined([
        "serviceAccount:".into(),
        pool.into(),
        Value::from(format!("[{}]", inputs.workload())),
    ]);
    let bind = Command::new(&["gcloud", "iam", "service-accounts"])
        .words(&["add-iam-policy-binding"])
        .value(account);
    match account.text().and_then(parts) {
        Some((_, project)) => bind.option("--project", project),
        // gcloud finds an account by its address alone.
        None => bind,
    }
    .words(&["--role", "roles/iam.workloadIdentityUser"])
    .option("--member", member)
    .words(&["--condition=None"])
    .build()
}

/// Links the Kubernetes service account to the Google one.
pub(crate) fn link(inputs: &Inputs, account: Value) -> Option<Command> {
    Command::new(&["kubectl", "annotate", "serviceaccount"])
        .value(&inputs.service_account)
        .option("-n", &inputs.namespace)
        .words(&["--overwrite"])
        .joined([LINK.into(), "=".into(), account])
        .build()
}

/// Lets a member read the context's bucket.
pub(crate) fn grant_reader(member: &Value, context: &str) -> Option<Command> {
    let bucket = context.trim_start_matches("gs://").split('/').next();
    Command::new(&["gcloud", "storage", "buckets", "add-iam-policy-binding"])
        .joined(["gs://".into(), bucket.into()])
        .option("--member", member)
        .words(&["--role", "roles/storage.objectViewer", "--condition=None"])
        .build()
}

/// Lets a member push to a repository of Artifact Registry.
pub(crate) fn grant_writer(member: &Value, repository: &Repository) -> Option<Command> {
    Command::new(&["gcloud", "artifacts", "repositories"])
        .words(&["add-iam-policy-binding"])
        .value(&repository.name)
        .option("--location", &repository.location)
        .option("--project", &repository.project)
        .option("--member", member)
        .words(&[
            "--role",
            "roles/artifactregistry.writer",
            "--condition=None",
        ])
        .build()
}

/// Creates a repository of Artifact Registry.
pub(crate) fn make_repository(repository: &Repository) -> Option<Command> {
    Command::new(&["gcloud", "artifacts", "repositories", "create"])
        .value(&repository.name)
        .words(&["--repository-format=docker"])
        .option("--location", &repository.location)
        .option("--project", &repository.project)
        .build()
}

/// Enables an API in a project.
pub(crate) fn enable_api(service: &'static str, project: &str) -> Option<Command> {
    Command::new(&["gcloud", "services", "enable"])
        .words(&[service])
        .option("--project", project)
        .build()
}

/// Ends a key: it is worth nothing from then on, wherever it was copied to.
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

/// A command about the context. The Dockerfile decides which ignore file counts.
fn on_context(command: &'static str, inputs: &Inputs) -> sidestep::Builder {
    let command = Command::new(&["sidestep", "context", command]);
    match inputs.dockerfile.as_str() {
        "Dockerfile" => command,
        other => command.option("--dockerfile", other),
    }
}

/// A repository of Artifact Registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repository {
    project: String,
    location: String,
    name: String,
}

impl Repository {
    /// Of `projects/P/locations/L/repositories/R`.
    pub(crate) fn from_resource(name: &str) -> Option<Self> {
        match name.split('/').collect::<Vec<_>>()[..] {
            [
                "projects",
                project,
                "locations",
                location,
                "repositories",
                repository,
            ] => Some(Self::new(project, location, repository)),
            _ => None,
        }
    }

    /// Of `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/…`, and of Container Registry's hosts, which
    /// Artifact Registry serves from a repository of the host's name.
    pub(crate) fn of_image(image: &ImageRef) -> Option<Self> {
        let mut parts = image.repository().split('/');
        let host = parts.next()?;
        let project = parts.next()?;
        if let Some(location) = host.strip_suffix("-docker.pkg.dev") {
            return Some(Self::new(project, location, parts.next()?));
        }
        let location = match host {
            "gcr.io" | "us.gcr.io" => "us",
            "eu.gcr.io" => "europe",
            "asia.gcr.io" => "asia",
            _ => return None,
        };
        Some(Self::new(project, location, host))
    }

    fn new(project: &str, location: &str, name: &str) -> Self {
        Self {
            project: project.to_owned(),
            location: location.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// Name and project of `NAME@PROJECT.iam.gserviceaccount.com`.
fn parts(address: &str) -> Option<(&str, &str)> {
    let (name, host) = address.split_once('@')?;
    Some((name, host.strip_suffix(".iam.gserviceaccount.com")?))
}

#[cfg(test)]
mod tests {
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
        let account = Value::from("builder@demo.iam.gserviceaccount.com");
        assert_eq!(
            line(bind(&inputs, &account, "demo.svc.id.goog")),
            "gcloud iam service-accounts add-iam-policy-binding builder@demo.iam.gserviceaccount.com --project demo --role roles/iam.workloadIdentityUser --member 'serviceAccount:demo.svc.id.goog[builds/kaniko]' --condition=None"
        );
        assert_eq!(
            lines(&serve_identities(&inputs.cluster, &["a", "b"])),
            ["a", "b"].map(|pool| format!("gcloud container node-pools update {pool} --cluster ci --location europe-west1 --project demo --workload-metadata=GKE_METADATA"))
        );
    }

    #[test]
    fn unknown_ones_are_asked_for_by_the_command() {
        let inputs = example(&json!({ "googleKey": { "secret": "builder-key" } }));
        let pool = asked_pool(&inputs.cluster).expect("a GKE cluster");
        let command = line(bind(&inputs, &asked_link(&inputs), pool));
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
        assert_eq!(
            lines(&serve_identities(&inputs.cluster, &[])),
            [
                "gcloud container node-pools list --cluster ci --location europe-west1 --project demo '--filter=NOT config.workloadMetadataConfig.mode=GKE_METADATA' '--format=value(name)' | xargs -I '{}' gcloud container node-pools update '{}' --cluster ci --location europe-west1 --project demo --workload-metadata=GKE_METADATA"
            ]
        );
    }

    #[test]
    fn nothing_is_printed_of_a_cluster_that_only_settings_know() {
        let cluster: Cluster = "staging".parse().expect("a name");
        assert_eq!(serve_identities(&cluster, &[]), []);
        assert_eq!(serve_identities(&cluster, &["a"]), []);
        assert_eq!(make_pool(&cluster), None);
        assert_eq!(asked_pool(&cluster), None);
        assert_eq!(asked_number(&cluster), None);
    }

    #[test]
    fn repositories_are_known_by_their_images() {
        let of = |image: &str| Repository::of_image(&image.parse().expect(image));
        assert_eq!(
            of("europe-docker.pkg.dev/demo/images/hello:1"),
            Repository::from_resource("projects/demo/locations/europe/repositories/images")
        );
        assert_eq!(
            of("eu.gcr.io/demo/hello"),
            Some(Repository::new("demo", "europe", "eu.gcr.io"))
        );
        assert_eq!(of("ghcr.io/a/b"), None);
    }
}
