//! The checks before every call: that the API is enabled and that the caller has the permission.

use sidestep_sandbox_identity::{Access as _, Resource};

use crate::api::Api;
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::ApiError;

impl Call {
    /// Returns an error if the project has not enabled the API.
    pub(crate) fn needs_api(&self, cloud: &Cloud, project: &str) -> Result<(), ApiError> {
        needs_service(cloud, project, self.api.host())
    }

    /// Returns whether the caller has a permission.
    pub(crate) fn may(&self, cloud: &Cloud, permission: &str, resource: &Resource) -> bool {
        cloud.identity().allows(&self.caller, permission, resource)
    }

    /// Returns an error, in the API's own words, if the caller does not have the permission.
    pub(crate) fn needs(
        &self,
        cloud: &Cloud,
        permission: &str,
        resource: &Resource,
    ) -> Result<(), ApiError> {
        self.needs_named(cloud, permission, resource, &resource.name())
    }

    /// Like `needs`, for messages that name something other than the resource with the policy.
    pub(crate) fn needs_named(
        &self,
        cloud: &Cloud,
        permission: &str,
        resource: &Resource,
        name: &str,
    ) -> Result<(), ApiError> {
        if self.may(cloud, permission, resource) {
            return Ok(());
        }
        let host = self.api.host();
        let message = match self.api {
            Api::Iam | Api::IamCredentials => {
                format!("Permission '{permission}' denied on resource (or it may not exist).")
            }
            Api::Container => format!("Required \"{permission}\" permission(s) for \"{name}\"."),
            Api::SecretManager => {
                format!(
                    "Permission '{permission}' denied for resource '{name}' (or it may not exist)."
                )
            }
            _ => format!(
                "Permission '{permission}' denied on resource '//{host}/{name}' (or it may not exist)."
            ),
        };
        let domain = if self.api == Api::IamCredentials {
            "iam.googleapis.com"
        } else {
            host
        };
        Err(ApiError::denied(message, domain, permission, name))
    }
}

/// Returns an error if the project has not enabled the service. A project that does not exist is
/// left to the permission check, which rejects it like one that the caller may not see.
pub(crate) fn needs_service(cloud: &Cloud, project: &str, service: &str) -> Result<(), ApiError> {
    match cloud.identity().project(project) {
        Some((id, project)) if !cloud.is_enabled(&id, service) => {
            Err(ApiError::service_disabled(service, &project.number))
        }
        _ => Ok(()),
    }
}
