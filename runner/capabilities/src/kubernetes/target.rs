//! A kind of object in one place.

use kube::api::ApiResource;

/// A kind of object in one place.
#[derive(Debug, Clone)]
pub struct Target {
    /// `v1`, `apps/v1`, ….
    pub api_version: String,
    /// The plural: `pods`.
    pub resource: String,
    /// The namespace; none for objects of the cluster.
    pub namespace: Option<String>,
}

impl Target {
    /// The resource as policies name it: `pods`, `jobs.batch`.
    pub fn policy_resource(&self) -> String {
        match self.api_version.split_once('/') {
            Some((group, _)) => format!("{}.{group}", self.resource),
            None => self.resource.clone(),
        }
    }

    /// What the path to its objects is made of, each with what it is.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let (group, version) = match self.api_version.split_once('/') {
            Some((group, version)) => (Some(group), version),
            None => (None, self.api_version.as_str()),
        };
        // A subresource is granted by name, as `pods/log`.
        let resource = self.resource.split('/').map(|part| ("resource", part));
        group
            .map(|group| ("API group", group))
            .into_iter()
            .chain([("API version", version)])
            .chain(resource)
            .chain(self.namespace.as_deref().map(|name| ("namespace", name)))
    }

    pub(super) fn api_resource(&self) -> ApiResource {
        let (group, version) = self
            .api_version
            .split_once('/')
            .unwrap_or(("", &self.api_version));
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: self.api_version.clone(),
            // Only used to fill in a kind that an object leaves out; ours come with theirs.
            kind: String::new(),
            plural: self.resource.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_of_a_group_is_named_with_it() {
        let target = |api_version: &str, resource: &str| Target {
            api_version: api_version.into(),
            resource: resource.into(),
            namespace: None,
        };
        assert_eq!(target("v1", "pods").policy_resource(), "pods");
        assert_eq!(target("batch/v1", "jobs").policy_resource(), "jobs.batch");
    }
}
