//! A kind of object in one place.

use kube::api::ApiResource;

/// A kind of object in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `v1`, `apps/v1`, ….
    pub api_version: String,
    /// The plural: `pods`.
    pub resource: String,
    /// The namespace; `None` for cluster-scoped objects.
    pub namespace: Option<String>,
}

impl Target {
    /// Returns the resource as in policies: `pods`, `jobs.batch`.
    pub fn policy_resource(&self) -> String {
        match self.api_version.split_once('/') {
            Some((group, _)) => format!("{}.{group}", self.resource),
            None => self.resource.clone(),
        }
    }

    /// Returns the journal's name for an object of this kind, whose own name for it is `kind`:
    /// `pod` if that is enough to find it again, else `jobs.batch/v1`.
    pub fn journal_kind(&self, kind: &str) -> String {
        let kind = kind.to_lowercase();
        if self.api_version == "v1" && self.resource == format!("{kind}s") {
            return kind;
        }
        let version = self.api_version.rsplit('/').next().unwrap_or_default();
        format!("{}/{version}", self.policy_resource())
    }

    /// Returns the target for a kind in the journal's form.
    pub fn of_journal(kind: &str, namespace: &str) -> Self {
        let namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
        let Some((resource, version)) = kind.rsplit_once('/') else {
            return Self {
                api_version: "v1".to_owned(),
                resource: format!("{kind}s"),
                namespace,
            };
        };
        let (resource, api_version) = match resource.split_once('.') {
            Some((plural, group)) => (plural, format!("{group}/{version}")),
            None => (resource, version.to_owned()),
        };
        Self {
            api_version,
            resource: resource.to_owned(),
            namespace,
        }
    }

    /// Returns the parts of the path to its objects, each with a description.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let (group, version) = match self.api_version.split_once('/') {
            Some((group, version)) => (Some(group), version),
            None => (None, self.api_version.as_str()),
        };
        group
            .map(|group| ("API group", group))
            .into_iter()
            .chain([
                ("API version", version),
                ("resource", self.resource.as_str()),
            ])
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
            // Only used to fill in a missing kind; our objects have theirs.
            kind: String::new(),
            plural: self.resource.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_journal_calls_an_object_leads_back_to_it() {
        for (api_version, resource, kind, called) in [
            ("v1", "pods", "Pod", "pod"),
            ("v1", "secrets", "Secret", "secret"),
            ("v1", "endpoints", "Endpoints", "endpoints/v1"),
            ("batch/v1", "jobs", "Job", "jobs.batch/v1"),
            (
                "networking.k8s.io/v1",
                "networkpolicies",
                "NetworkPolicy",
                "networkpolicies.networking.k8s.io/v1",
            ),
        ] {
            let target = Target {
                api_version: api_version.into(),
                resource: resource.into(),
                namespace: Some("builds".into()),
            };
            assert_eq!(target.journal_kind(kind), called);
            assert_eq!(Target::of_journal(called, "builds"), target);
        }
    }

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
