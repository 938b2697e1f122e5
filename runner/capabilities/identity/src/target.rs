//! What an identity may do on a resource.

use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_control_plane::ControlPlane;
use sidestep_events::{Class, Failure};
use sidestep_google::Name;
use sidestep_resources::{self as resource, permissions};

/// What came of one target.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Outcome {
    /// In the order asked.
    pub(super) granted: Vec<String>,
    /// Why it could not be asked.
    pub(super) failure: Option<Failure>,
}

/// A resource that has a policy, under its name.
#[derive(Debug, Clone)]
pub(super) struct Address<'a> {
    /// As messages and grants name it: `projects/P/secrets/S`, `buckets/B`.
    pub(super) name: Name,
    pub(super) resource: &'a wit::PolicyResource,
}

impl<'a> Address<'a> {
    /// Reads a resource's name.
    ///
    /// # Errors
    /// `google.name` when it is none.
    pub(super) fn of(resource: &'a wit::PolicyResource) -> Result<Self, Failure> {
        Ok(Self {
            name: resource::name(resource)?,
            resource,
        })
    }

    /// Asks which of the permissions the caller has. An empty answer may come from a resource that
    /// does not exist, so it is looked at: as the caller and then, if it may not, as the runner.
    pub(super) async fn ask(
        &self,
        caller: &ControlPlane,
        runner: Option<&ControlPlane>,
        permissions: &[String],
    ) -> Outcome {
        let failed = |failure: Failure| Outcome {
            granted: Vec::new(),
            failure: Some(failure.with_detail("target", self.name.as_str())),
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
                        // It is there, and gives nothing.
                        Ok(()) => break,
                        Err(_) => {}
                    }
                }
                Outcome::default()
            }
            Ok(granted) => Outcome {
                granted,
                failure: None,
            },
        }
    }
}
