//! A project with the folders and the organisation above it, and their deny policies (IAM v2).
//!
//! <https://cloud.google.com/iam/docs/reference/rest/v2/policies>

use futures::future::{join, join_all, try_join_all};
use http::Method;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::json;
use sidestep_bindings::sidestep::gcp::iam as wit;
use sidestep_bindings::sidestep::gcp::types;
use sidestep_bindings::sidestep::gcp::types::PolicyResource;
use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_control_plane::ControlPlane;
use sidestep_events::Failure;
use sidestep_google::convert::filled;
use sidestep_google::{Name, Service};
use sidestep_resources::policy;

/// The ancestors of a project, itself first (Resource Manager v1, which has them in one call).
#[derive(Deserialize, Default)]
#[serde(default)]
struct Ancestry {
    ancestor: Vec<Ancestor>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Ancestor {
    resource_id: ResourceId,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResourceId {
    /// `project`, `folder`, `organization`.
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

/// A deny policy. A list has only names, so each policy is read.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct DenyPolicy {
    name: String,
    display_name: String,
    etag: String,
    annotations: IndexMap<String, String>,
    rules: Vec<Rule>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    description: String,
    deny_rule: DenyRule,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct DenyRule {
    denied_principals: Vec<String>,
    exception_principals: Vec<String>,
    denied_permissions: Vec<String>,
    exception_permissions: Vec<String>,
    denial_condition: Option<Condition>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Condition {
    title: String,
    description: String,
    expression: String,
}

/// A project, or a folder or organisation above it, as far as the caller may read it.
#[derive(Debug)]
pub(super) struct Level {
    name: String,
    policy: Result<types::Policy, Failure>,
    deny_policies: Result<Vec<wit::DenyPolicy>, Failure>,
}

impl Level {
    /// Converts it to the plugin's form.
    pub(super) fn told(self, failure: impl Fn(Failure) -> WitFailure) -> wit::Level {
        wit::Level {
            name: self.name,
            policy: self.policy.map_err(&failure),
            deny_policies: self.deny_policies.map_err(failure),
        }
    }
}

/// Reads a project's levels. A level that the caller may not read has failures in it.
///
/// # Errors
/// When the ancestors of the project cannot be read.
pub(super) async fn read(google: &ControlPlane, project: &Name) -> Result<Vec<Level>, Failure> {
    let what = format!("read what is above {project}");
    let (service, path) = (
        Service::CloudResourceManager,
        format!("/v1/{project}:getAncestry"),
    );
    let nothing = json!({});
    let answer = google
        .rest()
        .read(&what, Method::POST, service, &path, Some(&nothing));
    let found: Ancestry = answer.await?;
    let above = found.ancestor.iter().filter_map(|ancestor| {
        let (kind, shape) = match ancestor.resource_id.kind.as_str() {
            "folder" => ("folders", "folders/N"),
            "organization" => ("organizations", "organizations/N"),
            _ => return None,
        };
        let name = format!("{kind}/{}", ancestor.resource_id.id);
        Some(Name::read(&ancestor.resource_id.kind, shape, &name))
    });
    let above: Vec<Name> = above.collect::<Result<_, _>>()?;
    let levels = std::iter::once(project).chain(&above);
    Ok(join_all(levels.map(|name| level(google, name))).await)
}

async fn level(google: &ControlPlane, name: &Name) -> Level {
    let own = async {
        match name.project() {
            Some(id) => policy::get(google, &PolicyResource::Project(id.to_owned()), name).await,
            None => policy::of_ancestor(google, name).await,
        }
    };
    let (policy, denies) = join(own, deny_policies(google, name)).await;
    Level {
        name: name.to_string(),
        policy,
        deny_policies: denies,
    }
}

async fn deny_policies(
    google: &ControlPlane,
    name: &Name,
) -> Result<Vec<wit::DenyPolicy>, Failure> {
    let rest = google.rest();
    let what = format!("list the deny policies of {name}");
    let point = name.as_str().replace('/', "%2F");
    let path = format!("/v2/policies/cloudresourcemanager.googleapis.com%2F{point}/denypolicies");
    let listed: Vec<DenyPolicy> = rest.list(&what, Service::Iam, &path, "policies").await?;
    let each = listed.iter().map(|listed| async {
        let id = listed.name.rsplit('/').next().unwrap_or_default();
        let id = Name::read(
            "deny policy",
            "denypolicies/ID",
            &format!("denypolicies/{id}"),
        )?;
        let id = id.as_str().trim_start_matches("denypolicies/");
        let what = format!("get the deny policy {id} of {name}");
        let found: DenyPolicy = rest
            .get(&what, Service::Iam, &format!("{path}/{id}"))
            .await?;
        Ok(deny_policy(id, found))
    });
    try_join_all(each).await
}

fn deny_policy(id: &str, policy: DenyPolicy) -> wit::DenyPolicy {
    let rule = |Rule {
                    description,
                    deny_rule: rule,
                }: Rule| wit::DenyRule {
        description: filled(description),
        denied_principals: rule.denied_principals,
        exception_principals: rule.exception_principals,
        denied_permissions: rule.denied_permissions,
        exception_permissions: rule.exception_permissions,
        condition: rule.denial_condition.map(|condition| types::Condition {
            title: condition.title,
            description: filled(condition.description),
            expression: condition.expression,
        }),
    };
    wit::DenyPolicy {
        id: id.to_owned(),
        display_name: filled(policy.display_name),
        etag: policy.etag,
        annotations: policy.annotations.into_iter().collect(),
        rules: policy.rules.into_iter().map(rule).collect(),
    }
}
