//! Kubernetes Engine, `container.googleapis.com/v1`.
//!
//! Reference: <https://cloud.google.com/kubernetes-engine/docs/reference/rest>.

mod clusters;
pub(crate) mod endpoints;
mod node_pools;
mod operations;

use serde_json::Value;
use sidestep_sandbox_identity::Resource;

use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};

pub(crate) fn handle(cloud: &Cloud, call: &Call) -> Answer {
    let (_, path, _) = call.route();
    let (version, project, location, rest) = match path.as_slice() {
        [
            version,
            "projects",
            project,
            "locations" | "zones",
            location,
            rest @ ..,
        ] => (*version, *project, *location, rest),
        _ => return Err(call.unserved()),
    };
    if !matches!(version, "v1" | "v1beta1") {
        return Err(call.unserved());
    }
    let (project, _) = cloud.project(project);
    call.needs_api(cloud, &project)?;
    let scope = Scope {
        project: &project,
        location,
    };
    match rest {
        ["clusters"] => clusters::list(cloud, call, &scope),
        ["clusters", name] => clusters::one(cloud, call, &scope, name),
        ["clusters", name, "nodePools"] => node_pools::list(cloud, call, &scope, name),
        ["clusters", name, "nodePools", pool] => node_pools::one(cloud, call, &scope, name, pool),
        ["operations"] => operations::list(cloud, call, &scope),
        ["operations", name] => operations::get(cloud, call, &scope, name),
        _ => Err(call.unserved()),
    }
}

/// The project and location of a call.
struct Scope<'a> {
    project: &'a str,
    location: &'a str,
}

impl Scope<'_> {
    fn cluster(&self, name: &str) -> String {
        format!(
            "projects/{}/locations/{}/clusters/{name}",
            self.project, self.location
        )
    }

    fn owner(&self) -> Resource {
        Resource::Project(self.project.to_owned())
    }

    /// Returns the cluster if the caller has the permission on it.
    fn find(
        &self,
        cloud: &Cloud,
        call: &Call,
        name: &str,
        permission: &str,
    ) -> Result<Value, ApiError> {
        let name = self.cluster(name);
        call.needs_named(cloud, permission, &self.owner(), &name)?;
        cloud
            .read(|state| {
                state
                    .clusters
                    .get(&name)
                    .map(|cluster| shown(&name, cluster))
            })
            .ok_or_else(|| ApiError::not_found(format!("Not found: {name}.")))
    }
}

/// Returns a cluster as the API shows it, with the fields that follow from its name.
fn shown(name: &str, cluster: &Value) -> Value {
    let mut out = cluster.clone();
    let mut parts = name.split('/').skip(1).step_by(2);
    let (_, location, short) = (
        parts.next(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let link = format!("https://container.googleapis.com/v1/{name}");
    for (key, value) in [
        ("name", short),
        ("location", location),
        ("zone", location),
        ("selfLink", &link),
        ("status", "RUNNING"),
    ] {
        if out.get(key).is_none() {
            out[key] = Value::from(value);
        }
    }
    for pool in out
        .get_mut("nodePools")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let pool_link = format!(
            "{link}/nodePools/{}",
            pool["name"].as_str().unwrap_or_default()
        );
        pool["selfLink"] = Value::from(pool_link);
        if pool.get("status").is_none() {
            pool["status"] = Value::from("RUNNING");
        }
    }
    out
}
