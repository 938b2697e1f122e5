use std::cell::Cell;
use std::sync::Arc;

use cel::{Context, ExecutionError, Value as Cel};
use serde_json::json;
use sidestep_contract::Image;
use sidestep_contract::google::{self, Account, Cluster, Repository};
use sidestep_evaluator::Statuses;

use crate::cel_value::to_cel;

thread_local! {
    static STATUSES: Cell<Option<Statuses>> = const { Cell::new(None) };
}

/// Sets the results of the status functions for later evaluations.
pub(crate) fn answer(statuses: Statuses) {
    STATUSES.set(Some(statuses));
}

fn statuses() -> Statuses {
    STATUSES.get().unwrap_or_default()
}

/// Declares the functions that expressions have in addition to CEL's own.
pub(crate) fn declare(context: &mut Context<'_, '_>) {
    let declared = [
        context.add_function("success", || statuses().success),
        context.add_function("failure", || statuses().failure),
        context.add_function("cancelled", || statuses().cancelled),
        context.add_function("always", || true),
        context.add_function("default", |value: Cel, other: Cel| match value {
            Cel::Null => other,
            value => value,
        }),
        context.add_function("image", |text: Arc<String>| image(&text)),
        context.add_function("cluster", |text: Arc<String>| cluster(&text)),
        context.add_function("bucket", |text: Arc<String>| bucket(&text)),
        context.add_function("project", |text: Arc<String>| {
            to_cel(&json!(project(&text)))
        }),
        context.add_function("repository", |text: Arc<String>| {
            to_cel(&json!(repository(&text)))
        }),
    ];
    debug_assert!(
        declared.iter().all(Result::is_ok),
        "none of these names is CEL's own"
    );
}

/// Returns an image reference's parts (the OCI distribution specification's `name`, `tag`,
/// `digest`).
fn image(text: &str) -> Cel {
    let image = Image::split(text);
    to_cel(&json!({
        "repository": image.name,
        "tag": image.tag.unwrap_or_default(),
        "digest": image.digest.unwrap_or_default(),
        "host": image.host.unwrap_or_default(),
    }))
}

/// Returns the parts of a GKE resource name or of a zonal cluster's self-link
/// (`projects/P/zones/Z/clusters/C`); of any other name, only `name`.
fn cluster(text: &str) -> Cel {
    let value = match Cluster::read_link(text) {
        Some(Cluster {
            project,
            location,
            name,
        }) => json!({ "project": project, "location": location, "name": name }),
        None => json!({ "project": null, "location": null, "name": text }),
    };
    to_cel(&value)
}

/// Returns the bucket of `gs://BUCKET/OBJECT` or of a bare name.
fn bucket(text: &str) -> Result<Cel, ExecutionError> {
    let rest = text.strip_prefix("gs://").unwrap_or(text);
    let name = rest.split('/').next().unwrap_or_default();
    if name.is_empty() || name.contains(':') {
        return Err(ExecutionError::function_error(
            "bucket",
            "this is not gs://BUCKET/OBJECT",
        ));
    }
    Ok(to_cel(&json!(name)))
}

/// Returns the project of a resource name, a service account's address or an image of Google's
/// registries; empty if the text names none.
fn project(text: &str) -> String {
    let of_resource = || google::of_resource(text).map(str::to_owned);
    of_resource()
        .or_else(|| Account::project_of(text))
        .or_else(|| registry(text).map(|repository| repository.project))
        .unwrap_or_default()
}

/// Returns the Artifact Registry repository (`projects/P/locations/L/repositories/R`) of an image
/// or of a repository's name; empty if the text names none.
fn repository(text: &str) -> String {
    Repository::from_resource(text)
        .or_else(|| registry(text))
        .map(|repository| repository.resource())
        .unwrap_or_default()
}

/// Returns the repository of an image, which may have a digest.
fn registry(image: &str) -> Option<Repository> {
    Repository::of_image(Image::split(image).name)
}

#[cfg(test)]
mod tests {
    use crate::tests::evaluate;
    use serde_json::json;

    #[test]
    fn references_are_taken_apart() {
        for (text, expected) in [
            (
                "image('europe-docker.pkg.dev/p/r/api:1').repository",
                json!("europe-docker.pkg.dev/p/r/api"),
            ),
            (
                "image('localhost:5000/x@sha256:ab').repository",
                json!("localhost:5000/x"),
            ),
            ("image('localhost:5000/x:1').tag", json!("1")),
            ("image('python:3.13').host", json!("")),
            (
                "cluster('projects/p/locations/l/clusters/c').project",
                json!("p"),
            ),
            ("cluster('prod').name", json!("prod")),
            ("cluster('prod').project", json!(null)),
            ("bucket('gs://b/o/p')", json!("b")),
            ("bucket('b')", json!("b")),
            ("project('projects/p/secrets/s')", json!("p")),
            ("project('b@p.iam.gserviceaccount.com')", json!("p")),
            (
                "project('12-compute@developer.gserviceaccount.com')",
                json!("12"),
            ),
            ("project('europe-docker.pkg.dev/p/r/api:1')", json!("p")),
            ("project('ghcr.io/a/b')", json!("")),
            // Three spellings of one domain-scoped project.
            (
                "project('b@web.example.com.iam.gserviceaccount.com')",
                json!("example.com:web"),
            ),
            (
                "project('projects/example.com:web/locations/l/clusters/c')",
                json!("example.com:web"),
            ),
            (
                "repository('us-docker.pkg.dev/example.com/web/images/app:1')",
                json!("projects/example.com:web/locations/us/repositories/images"),
            ),
            (
                "repository('europe-docker.pkg.dev/p/r/api@sha256:ab')",
                json!("projects/p/locations/europe/repositories/r"),
            ),
            (
                "repository('eu.gcr.io/p/api:1')",
                json!("projects/p/locations/europe/repositories/eu.gcr.io"),
            ),
            (
                "repository('projects/p/locations/l/repositories/r')",
                json!("projects/p/locations/l/repositories/r"),
            ),
            ("repository('python:3.13')", json!("")),
        ] {
            assert_eq!(evaluate(text, &json!({})), Ok(expected), "{text}");
        }
        assert!(evaluate("bucket('https://x/b')", &json!({})).is_err());
    }
}
