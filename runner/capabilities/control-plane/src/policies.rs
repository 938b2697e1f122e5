//! The policies of resources, and the permissions of a caller on them.
//!
//! The methods are the same in every API (`google.iam.v1.IAMPolicy`), except for the way in which
//! the policy's version is requested. Cloud Storage's JSON API has methods of its own.

mod bucket;

use google_cloud_iam_v1::model::{
    GetIamPolicyRequest, GetPolicyOptions, Policy, SetIamPolicyRequest, TestIamPermissionsRequest,
    TestIamPermissionsResponse,
};
use http::Method;
use serde_json::json;
use sidestep_google::{Name, Service};

use super::{Answer, ControlPlane};

/// The version of policies with conditions. Without it, a binding's condition would be lost.
const VERSION: i32 = 3;

/// A kind of resource that has a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policed {
    /// `projects/P`.
    Project,
    /// `folders/N` or `organizations/N`.
    Ancestor,
    /// `projects/P/serviceAccounts/EMAIL`.
    ServiceAccount,
    /// `projects/P/locations/L/repositories/R`.
    Repository,
    /// `projects/P/secrets/S`.
    Secret,
    /// `buckets/B`.
    Bucket,
}

/// The way in which a method `getIamPolicy` takes the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// POST, in a message.
    Message,
    /// POST, in the query.
    PostQuery,
    /// GET, in the query.
    GetQuery,
}

/// The API of a kind of resource.
struct Api {
    service: Service,
    /// The first part of its paths.
    root: &'static str,
    version: Version,
}

impl Policed {
    /// Returns the API of this kind; `None` for Cloud Storage's.
    fn api(self) -> Option<Api> {
        let (service, root, version) = match self {
            Self::Project | Self::Ancestor => {
                (Service::CloudResourceManager, "/v3", Version::Message)
            }
            Self::ServiceAccount => (Service::Iam, "/v1", Version::PostQuery),
            Self::Repository => (Service::ArtifactRegistry, "/v1", Version::GetQuery),
            Self::Secret => (Service::SecretManager, "/v1", Version::GetQuery),
            Self::Bucket => return None,
        };
        Some(Api {
            service,
            root,
            version,
        })
    }
}

impl ControlPlane {
    /// Reads the policy of a resource, with conditions.
    pub fn policy<'a>(
        &'a self,
        what: &'a str,
        kind: Policed,
        name: &'a Name,
    ) -> Answer<'a, Policy> {
        let Some(api) = kind.api() else {
            return Box::pin(bucket::policy(&self.rest, what, name));
        };
        let path = format!("{}/{name}:getIamPolicy", api.root);
        let query = format!("{path}?options.requestedPolicyVersion={VERSION}");
        match api.version {
            Version::Message => {
                let options = GetPolicyOptions::new().set_requested_policy_version(VERSION);
                let message = GetIamPolicyRequest::new().set_options(options);
                self.post(what, api.service, path, &message)
            }
            Version::PostQuery => self.post(what, api.service, query, &json!({})),
            Version::GetQuery => self.get(what, api.service, query),
        }
    }

    /// Sets the bindings of a resource's policy, if its etag still matches the current one.
    pub fn set_policy<'a>(
        &'a self,
        what: &'a str,
        kind: Policed,
        name: &'a Name,
        policy: Policy,
    ) -> Answer<'a, Policy> {
        let policy = policy.set_version(VERSION);
        let Some(api) = kind.api() else {
            return Box::pin(bucket::set_policy(&self.rest, what, name, policy));
        };
        let path = format!("{}/{name}:setIamPolicy", api.root);
        let message = SetIamPolicyRequest::new().set_policy(policy);
        self.post(what, api.service, path, &message)
    }

    /// Returns those of the permissions that the caller has on a resource. No permission may also
    /// mean that the resource does not exist.
    pub fn test_permissions<'a>(
        &'a self,
        what: &'a str,
        kind: Policed,
        name: &'a Name,
        permissions: &'a [String],
    ) -> Answer<'a, TestIamPermissionsResponse> {
        let Some(api) = kind.api() else {
            let held = bucket::test_permissions(&self.rest, what, name, permissions);
            return Box::pin(held);
        };
        let path = format!("{}/{name}:testIamPermissions", api.root);
        let message = TestIamPermissionsRequest::new().set_permissions(permissions);
        self.post(what, api.service, path, &message)
    }

    /// Checks that the caller can read the resource itself.
    pub fn look<'a>(&'a self, what: &'a str, kind: Policed, name: &'a Name) -> Answer<'a, ()> {
        let (service, path) = match kind.api() {
            Some(api) => (api.service, format!("{}/{name}", api.root)),
            None => (Service::Storage, bucket::path(name)),
        };
        Box::pin(async move {
            let found = self.rest.call(what, Method::GET, service, &path, None);
            found.await.map(drop)
        })
    }
}
