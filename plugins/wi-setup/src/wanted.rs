//! The bindings that a workload needs, from the inputs.

use sidestep::gcp::iam::{Condition, PolicyResource};
use sidestep::google::{self, Account, Member, Resource, condition, roles, target};
use sidestep::{Error, Result, codes};

use crate::identity::Identity;
use crate::inputs::{Goal, Inputs};

/// The role that lets a workload act as a Google service account.
pub(crate) const ACTS_AS: &str = "roles/iam.workloadIdentityUser";

/// A role on a target.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub(crate) resource: Resource,
    pub(crate) role: String,
}

/// A resource whose policy gets a binding.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum On {
    /// The Google service account that the workload acts as.
    Account(Account),
    /// A target.
    Target(Resource),
}

impl On {
    /// Returns its name in the contract.
    pub(crate) fn policed(&self) -> PolicyResource {
        match self {
            Self::Account(account) => PolicyResource::ServiceAccount(account.address().to_owned()),
            Self::Target(Resource::Objects { bucket, .. }) => {
                PolicyResource::Bucket(bucket.clone())
            }
            Self::Target(Resource::Repository(repository)) => {
                PolicyResource::Repository(repository.resource())
            }
            Self::Target(Resource::Secret { project, name }) => {
                PolicyResource::Secret(format!("projects/{project}/secrets/{name}"))
            }
            Self::Target(Resource::Project(id)) => PolicyResource::Project(id.clone()),
        }
    }

    /// Returns the full name of the resource that carries the policy.
    pub(crate) fn name(&self) -> String {
        match self.policed() {
            PolicyResource::ServiceAccount(email) => {
                let project = Account::project_of(&email).unwrap_or_else(|| "-".to_owned());
                format!("projects/{project}/serviceAccounts/{email}")
            }
            PolicyResource::Bucket(bucket) => format!("buckets/{bucket}"),
            PolicyResource::Project(id) => format!("projects/{id}"),
            PolicyResource::Repository(name) | PolicyResource::Secret(name) => name,
        }
    }

    /// Returns the display name.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Account(account) => account.address().to_owned(),
            Self::Target(resource) => resource.shown(),
        }
    }
}

/// A role of one member on one resource.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Binding {
    pub(crate) on: On,
    pub(crate) role: String,
    pub(crate) member: Member,
}

impl Binding {
    /// Returns the member as policies write it.
    pub(crate) fn member(&self) -> &str {
        self.member.text().unwrap_or_default()
    }

    /// Returns the condition: a grant on a prefix covers only the objects under it.
    pub(crate) fn condition(&self) -> Option<Condition> {
        match &self.on {
            On::Target(Resource::Objects { bucket, prefix }) if !prefix.is_empty() => {
                Some(Condition {
                    title: google::PREFIX_TITLE.to_owned(),
                    description: None,
                    expression: condition::of_prefix(bucket, prefix),
                })
            }
            _ => None,
        }
    }
}

/// Returns the bindings in the order in which they are made: the account's first, because the
/// targets' are useless without it.
pub(crate) fn bindings(identity: &Identity, targets: &[Target]) -> Vec<Binding> {
    let acts = identity.workload.google.iter().map(|account| Binding {
        on: On::Account(account.clone()),
        role: ACTS_AS.to_owned(),
        member: identity.actor(),
    });
    let granted = targets.iter().map(|target| Binding {
        on: On::Target(target.resource.clone()),
        role: target.role.clone(),
        member: identity.holder(),
    });
    acts.chain(granted).collect()
}

/// Returns the targets of the inputs, each once.
pub(crate) fn targets(inputs: &Inputs) -> Result<Vec<Target>> {
    let short = inputs.bucket.as_ref().map(|bucket| Goal {
        bucket: Some(bucket.clone()),
        prefix: inputs.prefix.clone(),
        ..Goal::default()
    });
    let image = inputs.image.as_ref().map(|image| Goal {
        image: Some(image.clone()),
        ..Goal::default()
    });
    let wrong = |why: String| Error::invalid_input(codes::identity::TARGET, why);
    if !inputs.prefix.is_empty() && inputs.bucket.is_none() {
        return Err(wrong("`prefix` needs a `bucket`".to_owned()));
    }
    let mut found: Vec<Target> = Vec::new();
    for goal in short.iter().chain(&image).chain(&inputs.targets) {
        let target = self::target(goal).map_err(wrong)?;
        if !found.contains(&target) {
            found.push(target);
        }
    }
    Ok(found)
}

/// Returns the target of one entry, or what is wrong with the entry.
fn target(goal: &Goal) -> Result<Target, String> {
    let bucket = |bucket: &sidestep::Bucket| {
        Ok(Resource::Objects {
            bucket: bucket.as_str().to_owned(),
            prefix: goal.prefix.clone(),
        })
    };
    let places = [
        goal.bucket.as_ref().map(bucket),
        goal.image
            .as_ref()
            .map(|image| target::of_image(&image.to_string(), image.repository())),
        goal.repository.as_deref().map(target::of_repository),
        goal.secret.as_deref().map(target::of_secret),
    ];
    let mut places = places.into_iter().flatten();
    let (Some(resource), None) = (places.next(), places.next()) else {
        return Err(
            "a target needs exactly one of `bucket`, `image`, `repository` and `secret`".to_owned(),
        );
    };
    let resource = resource?;
    if !goal.prefix.is_empty() && goal.bucket.is_none() {
        return Err("`prefix` needs a `bucket`".to_owned());
    }
    let role = match &goal.role {
        Some(role) => role.clone(),
        None => roles::with(&resource, roles::needed(&resource))
            .unwrap_or_default()
            .to_owned(),
    };
    if !is_role(&role) {
        return Err(format!(
            "the role `{role}` of the target {} is not roles/NAME, projects/P/roles/NAME or organizations/O/roles/NAME",
            resource.shown()
        ));
    }
    if !goal.prefix.is_empty() && !condition::is_role_of_objects(&role) {
        return Err(format!(
            "{role} can't be limited to a prefix: it has permissions that are not of objects. Use roles/storage.objectViewer, objectCreator, objectUser or objectAdmin, or remove `prefix`"
        ));
    }
    Ok(Target { resource, role })
}

fn is_role(role: &str) -> bool {
    let plain = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte))
    };
    match role.split('/').collect::<Vec<_>>()[..] {
        ["roles", name] => plain(name),
        ["projects" | "organizations", of, "roles", name] => google::is_project(of) && plain(name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::{Value, json};

    use super::*;
    use crate::{identity, inputs};

    fn all(more: &Value) -> Vec<(String, String, String)> {
        let targets = targets(&inputs::example(more)).expect("targets");
        let identity = identity::example(more);
        let bindings = bindings(&identity, &targets);
        let row = |b: &Binding| (b.on.name(), b.role.clone(), b.member().to_owned());
        bindings.iter().map(row).collect()
    }

    #[test]
    fn the_least_role_is_granted_on_the_resource_itself() {
        let app = "serviceAccount:app-ci@demo.iam.gserviceaccount.com";
        let row = |on: &str, role: &str, member: &str| {
            (on.to_owned(), role.to_owned(), member.to_owned())
        };
        assert_eq!(
            all(&json!({
                "googleServiceAccount": "app-ci@demo.iam.gserviceaccount.com",
                "bucket": "contexts",
                "image": "europe-docker.pkg.dev/shared/images/app:1",
                "targets": [{ "secret": "projects/demo/secrets/npm" }, { "bucket": "contexts" }],
            })),
            [
                row(
                    "projects/demo/serviceAccounts/app-ci@demo.iam.gserviceaccount.com",
                    "roles/iam.workloadIdentityUser",
                    "serviceAccount:demo.svc.id.goog[builds/app]"
                ),
                row("buckets/contexts", "roles/storage.objectViewer", app),
                row(
                    "projects/shared/locations/europe/repositories/images",
                    "roles/artifactregistry.writer",
                    app
                ),
                row(
                    "projects/demo/secrets/npm",
                    "roles/secretmanager.secretAccessor",
                    app
                ),
            ]
        );
    }

    #[test]
    fn a_prefix_becomes_a_condition() {
        let more = json!({ "bucket": "contexts", "prefix": "ci/" });
        let targets = targets(&inputs::example(&more)).expect("targets");
        let binding = &bindings(&identity::example(&more), &targets)[0];
        assert_eq!(
            binding.condition().expect("a condition").expression,
            "resource.name.startsWith(\"projects/_/buckets/contexts/objects/ci/\")"
        );
    }

    #[test]
    fn a_target_that_can_t_be_meant_is_refused() {
        for (more, part) in [
            (json!({ "targets": [{}] }), "exactly one of"),
            (
                json!({ "targets": [{ "bucket": "contexts", "secret": "projects/p/secrets/s" }] }),
                "exactly one of",
            ),
            (json!({ "prefix": "ci/" }), "needs a `bucket`"),
            (
                json!({ "targets": [{ "bucket": "contexts", "role": "owner" }] }),
                "the role `owner`",
            ),
            (
                json!({ "targets": [{ "bucket": "contexts", "prefix": "ci/", "role": "roles/storage.admin" }] }),
                "can't be limited to a prefix",
            ),
            (
                json!({ "targets": [{ "image": "docker.io/library/app" }] }),
                "not in Artifact Registry",
            ),
        ] {
            let error = targets(&inputs::example(&more)).expect_err(part);
            assert_eq!(error.code, "identity.target");
            assert!(error.message.contains(part), "{error}");
        }
    }
}
