//! The permissions of an identity on a resource.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_control_plane::ControlPlane;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_google::{Name, Service};
use sidestep_resources::{self as resource, permissions};

/// The result of one target.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Outcome {
    /// The granted permissions, in the order of the query.
    pub(super) granted: Vec<String>,
    /// The reason why the query failed.
    pub(super) failure: Option<Failure>,
    /// The result of reading the target's object.
    pub(super) object: Option<Result<(), Failure>>,
}

/// A resource that has a policy, with its name.
#[derive(Debug, Clone)]
pub(super) struct Address<'a> {
    /// The name in messages and grants: `projects/P/secrets/S`, `buckets/B`.
    pub(super) name: Name,
    pub(super) resource: &'a wit::PolicyResource,
}

impl<'a> Address<'a> {
    /// Reads a resource's name.
    ///
    /// # Errors
    /// `google.name` when the name is not valid.
    pub(super) fn of(resource: &'a wit::PolicyResource) -> Result<Self, Failure> {
        Ok(Self {
            name: resource::name(resource)?,
            resource,
        })
    }

    /// Queries which of the permissions the caller has. An empty answer may also mean that the
    /// resource does not exist, so the resource is read: as the caller and then, without
    /// permission, as the runner.
    pub(super) async fn ask(
        &self,
        caller: &ControlPlane,
        runner: Option<&ControlPlane>,
        permissions: &[String],
    ) -> Outcome {
        let failed = |failure: Failure| Outcome {
            failure: Some(failure.with_detail("target", self.name.as_str())),
            ..Outcome::default()
        };
        if permissions.is_empty() {
            return Outcome::default();
        }
        match permissions::test(caller, self.resource, &self.name, permissions).await {
            Err(failure) => failed(failure),
            Ok(granted) if granted.is_empty() => {
                for reader in [Some(caller), runner].into_iter().flatten() {
                    match permissions::look(reader, self.resource, &self.name).await {
                        Err(failure) if failure.class == Class::NotFound => return failed(failure),
                        // It exists, and grants nothing.
                        Ok(()) => break,
                        Err(_) => {}
                    }
                }
                Outcome::default()
            }
            Ok(granted) => Outcome {
                granted,
                ..Outcome::default()
            },
        }
    }

    /// Reads the metadata of an object as the caller. A caller that may not list objects gets the
    /// same answer for an object that does not exist as for one that it may not read.
    pub(super) async fn read_object(
        &self,
        caller: &ControlPlane,
        object: &str,
    ) -> Result<(), Failure> {
        let wit::PolicyResource::Bucket(bucket) = self.resource else {
            return Err(not_a_bucket(&self.name));
        };
        let escaped = utf8_percent_encode(object, NON_ALPHANUMERIC);
        let path = format!("/storage/v1/b/{bucket}/o/{escaped}?fields=name");
        let what = format!("read gs://{bucket}/{object} as the workload");
        let answer: Result<Value, Failure> =
            caller.rest().get(&what, Service::Storage, &path).await;
        answer.map(drop)
    }
}

fn not_a_bucket(name: &Name) -> Failure {
    Failure::new(
        Class::InvalidInput,
        codes::identity::SUBJECT,
        Owner::Author,
        format!("cannot read an object of {name}, which is not a bucket"),
    )
}
