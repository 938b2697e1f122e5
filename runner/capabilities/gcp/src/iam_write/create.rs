//! Creating a resource in IAM, or accepting an existing one.

use sidestep_bindings::sidestep::host::types::Creation;
use sidestep_control_plane::ControlPlane;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::Priced;
use sidestep_google::Named;

/// A resource to create in IAM, and the way to recognise an existing one.
pub(super) trait New: Sync {
    /// The API's form of the resource.
    type Found: Send;
    /// The plugin's form of the resource.
    type Made;
    /// The kind in an intent.
    const KIND: &str;
    /// The contract's function that creates it.
    const FUNCTION: Priced;

    /// Returns the resource's full name.
    fn named(&self) -> &Named;
    /// Creates the resource and waits until it exists; class `conflict` if the name is in use.
    /// `what` completes "cannot …".
    fn make(
        &self,
        google: &ControlPlane,
        what: &str,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Reads the resource.
    fn look(
        &self,
        google: &ControlPlane,
        what: &str,
    ) -> impl Future<Output = Result<Self::Found, Failure>> + Send;
    /// Checks that an existing resource is the requested one; the error names the difference.
    fn is(&self, found: &Self::Found) -> Result<(), String>;
    /// Returns the id that distinguishes the resource from another of the same name.
    fn id(found: &Self::Found) -> String;
    /// Returns the resource in the plugin's form.
    fn made(found: Self::Found) -> Self::Made;
}

/// Creates the resource, or returns the existing one.
///
/// # Errors
/// The failure that IAM answered with; `iam.conflict` if a different resource has the name.
pub(super) async fn create<N: New>(
    google: &ControlPlane,
    new: &N,
) -> Result<(N::Found, Creation), Failure> {
    let name = new.named().name()?.as_str();
    let what = format!("create {name}");
    let outcome = match new.make(google, &what).await {
        Ok(()) => Creation::Created,
        Err(failure) if failure.class == Class::Conflict => Creation::AlreadyThere,
        Err(failure) => return Err(failure),
    };
    let found = new.look(google, &format!("get {name}")).await?;
    new.is(&found).map_err(|why| {
        Failure::new(
            Class::Conflict,
            codes::iam::CONFLICT,
            Owner::Author,
            format!("cannot {what}: it already exists, and {why}"),
        )
    })?;
    Ok((found, outcome))
}

/// Checks a requested attribute against the existing one; an attribute that was not requested may
/// have any value.
pub(super) fn same(what: &str, asked: Option<&String>, found: &str) -> Result<(), String> {
    match asked {
        Some(asked) if asked != found => Err(format!("its {what} differs")),
        _ => Ok(()),
    }
}

/// A deleted resource keeps its name for 30 days.
pub(super) fn alive(state: &str, disabled: bool) -> Result<(), String> {
    match state {
        "DELETED" => {
            Err("it was deleted; undelete it, or wait until Google has purged it".to_owned())
        }
        _ if disabled => Err("it is disabled".to_owned()),
        _ => Ok(()),
    }
}
