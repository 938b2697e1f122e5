//! Commands that mend an identity. Each is complete: what this step does not know, the command
//! asks for itself.

use sidestep::{Cluster, ImageRef};

use crate::inputs::{GoogleKey, Inputs};
use crate::shell::{Piece, quoted, word};

/// The annotation that links a Kubernetes service account to a Google one.
pub(crate) const LINK: &str = "iam.gke.io/gcp-service-account";

/// `--cluster`'s and `--location`'s own words, and the project's.
fn place(cluster: &Cluster) -> Option<[String; 3]> {
    Some([
        quoted(cluster.name()?),
        quoted(cluster.location()?),
        quoted(cluster.project()?),
    ])
}

/// Turns Workload Identity on.
pub(crate) fn make_pool(cluster: &Cluster) -> Option<String> {
    let [name, location, project] = place(cluster)?;
    Some(format!(
        "gcloud container clusters update {name} --location {location} --project {project} --workload-pool={project}.svc.id.goog"
    ))
}

/// Lets node pools serve workload identities: these, or all that don't where they are not known.
pub(crate) fn serve_identities(cluster: &Cluster, pools: &[&str]) -> Vec<String> {
    let Some([name, location, project]) = place(cluster) else {
        return Vec::new();
    };
    let of = format!("--cluster {name} --location {location} --project {project}");
    let update = |pool: &str| {
        format!("gcloud container node-pools update {pool} {of} --workload-metadata=GKE_METADATA")
    };
    if pools.is_empty() {
        let list = format!(
            "gcloud container node-pools list {of} --filter='NOT config.workloadMetadataConfig.mode=GKE_METADATA' --format='value(name)'"
        );
        return vec![format!(
            "for pool in $({list}); do {}; done",
            update("\"$pool\"")
        )];
    }
    pools.iter().map(|pool| update(&quoted(pool))).collect()
}

/// The cluster's workload pool, where GKE was not asked.
pub(crate) fn asked_pool(cluster: &Cluster) -> Option<Piece> {
    let [name, location, project] = place(cluster)?;
    Some(Piece::Asked(format!(
        "gcloud container clusters describe {name} --location {location} --project {project} --format='value(workloadIdentityConfig.workloadPool)'"
    )))
}

/// The number of the cluster's project.
pub(crate) fn asked_number(cluster: &Cluster) -> Option<Piece> {
    let [_, _, project] = place(cluster)?;
    Some(Piece::Asked(format!(
        "gcloud projects describe {project} --format='value(projectNumber)'"
    )))
}

/// The Google account that the Kubernetes one is linked to, where the cluster did not tell.
pub(crate) fn asked_link(inputs: &Inputs) -> Piece {
    Piece::Asked(format!(
        "kubectl get serviceaccount {} -n {} -o jsonpath='{{.metadata.annotations.iam\\.gke\\.io/gcp-service-account}}'",
        quoted(&inputs.service_account),
        quoted(&inputs.namespace),
    ))
}

/// A field of a key's file: `client_email`, `private_key_id`. Only that field is shown.
pub(crate) fn asked_of_key(inputs: &Inputs, key: &GoogleKey, field: &str) -> Piece {
    Piece::Asked(format!(
        "kubectl get secret {} -n {} -o jsonpath={} | base64 -d | sed -n 's/.*\"{field}\": *\"\\([^\"]*\\)\".*/\\1/p'",
        quoted(&key.secret),
        quoted(&inputs.namespace),
        quoted(&format!("{{.data.{}}}", key.key.replace('.', "\\."))),
    ))
}

/// Makes a Google service account again.
pub(crate) fn make_account(address: &str) -> Option<String> {
    let (name, project) = parts(address)?;
    Some(format!(
        "gcloud iam service-accounts create {} --project {}",
        quoted(name),
        quoted(project)
    ))
}

/// Lets the workload act as a Google service account; `pool` is the cluster's.
pub(crate) fn bind(inputs: &Inputs, account: &Piece, pool: Piece) -> String {
    let member = [
        Piece::text("serviceAccount:"),
        pool,
        Piece::text(format!("[{}]", inputs.workload())),
    ];
    let project = account
        .known()
        .and_then(parts)
        .map(|(_, project)| format!(" --project {}", quoted(project)))
        .unwrap_or_default();
    format!(
        "gcloud iam service-accounts add-iam-policy-binding {}{project} --role roles/iam.workloadIdentityUser --member {} --condition=None",
        word(std::slice::from_ref(account)),
        word(&member),
    )
}

/// Links the Kubernetes service account to the Google one.
pub(crate) fn link(inputs: &Inputs, account: Piece) -> String {
    format!(
        "kubectl annotate serviceaccount {} -n {} --overwrite {}",
        quoted(&inputs.service_account),
        quoted(&inputs.namespace),
        word(&[Piece::text(format!("{LINK}=")), account]),
    )
}

/// Lets a member read the context's bucket.
pub(crate) fn grant_reader(member: &[Piece], context: &str) -> String {
    let bucket = context
        .trim_start_matches("gs://")
        .split('/')
        .next()
        .unwrap_or_default();
    format!(
        "gcloud storage buckets add-iam-policy-binding {} --member {} --role roles/storage.objectViewer --condition=None",
        quoted(&format!("gs://{bucket}")),
        word(member),
    )
}

/// Lets a member push to a repository of Artifact Registry.
pub(crate) fn grant_writer(member: &[Piece], repository: &Repository) -> String {
    format!(
        "gcloud artifacts repositories add-iam-policy-binding {} --location {} --project {} --member {} --role roles/artifactregistry.writer --condition=None",
        quoted(&repository.name),
        quoted(&repository.location),
        quoted(&repository.project),
        word(member),
    )
}

/// Ends a key: it is worth nothing from then on, wherever it was copied to.
pub(crate) fn end_key(inputs: &Inputs, key: &GoogleKey) -> [String; 2] {
    [
        format!(
            "gcloud iam service-accounts keys delete {} --iam-account {} --quiet",
            word(&[asked_of_key(inputs, key, "private_key_id")]),
            word(&[asked_of_key(inputs, key, "client_email")]),
        ),
        format!(
            "kubectl delete secret {} -n {}",
            quoted(&key.secret),
            quoted(&inputs.namespace)
        ),
    ]
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

    #[test]
    fn known_facts_stand_in_the_command() {
        let inputs = example(&json!({}));
        let account = Piece::text("builder@demo.iam.gserviceaccount.com");
        assert_eq!(
            bind(&inputs, &account, Piece::text("demo.svc.id.goog")),
            "gcloud iam service-accounts add-iam-policy-binding builder@demo.iam.gserviceaccount.com --project demo --role roles/iam.workloadIdentityUser --member 'serviceAccount:demo.svc.id.goog[builds/kaniko]' --condition=None"
        );
        assert_eq!(
            serve_identities(&inputs.cluster, &["a", "b"]),
            ["a", "b"].map(|pool| format!("gcloud container node-pools update {pool} --cluster ci --location europe-west1 --project demo --workload-metadata=GKE_METADATA"))
        );
    }

    #[test]
    fn unknown_ones_are_asked_for_by_the_command() {
        let inputs = example(&json!({ "googleKey": { "secret": "builder-key" } }));
        let pool = asked_pool(&inputs.cluster).expect("a GKE cluster");
        let command = bind(&inputs, &asked_link(&inputs), pool);
        assert!(
            command.contains("\"serviceAccount:$(gcloud container clusters describe ci "),
            "{command}"
        );
        assert!(
            command.contains(")[builds/kaniko]\" --condition=None"),
            "{command}"
        );
        let [key, secret] = end_key(&inputs, inputs.google_key.as_ref().expect("a key"));
        assert!(
            key.contains(r"-o jsonpath='{.data.key\.json}' | base64 -d"),
            "{key}"
        );
        assert_eq!(secret, "kubectl delete secret builder-key -n builds");
        assert_eq!(
            serve_identities(&"staging".parse().expect("a name"), &[]),
            [""; 0]
        );
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
