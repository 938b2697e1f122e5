//! Creating a resource in IAM, or accepting an existing one.

use std::time::Duration;

use sidestep_bindings::sidestep::host::types::Creation;
use sidestep_control_plane::ControlPlane;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::{NotCreated, Priced};
use sidestep_google::Named;

/// The pauses between reads of a resource that IAM does not show yet: a read shortly after the
/// creation may not find it (IAM, "Create service accounts").
const PAUSES: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

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
    ) -> impl Future<Output = Result<(), NotCreated>> + Send;
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
) -> Result<(N::Found, Creation), NotCreated> {
    let name = new.named().name().map_err(NotCreated::certainly)?.as_str();
    let what = format!("create {name}");
    let refused = match new.make(google, &what).await {
        Ok(()) => None,
        Err(refused) if refused.failure.class == Class::Conflict => Some(refused),
        Err(not_created) => return Err(not_created),
    };
    let outcome = match &refused {
        None => Creation::Created,
        Some(_) => Creation::AlreadyThere,
    };
    // The reads that follow show nothing about what the creation left behind.
    let not_created = |failure| match refused.clone() {
        None => NotCreated::perhaps(failure),
        Some(refused) => refused.or(failure),
    };
    let found = look(google, new, &format!("get {name}")).await;
    let found = found.map_err(not_created)?;
    new.is(&found).map_err(|why| {
        not_created(Failure::new(
            Class::Conflict,
            codes::iam::CONFLICT,
            Owner::Author,
            format!("cannot {what}: it already exists, and {why}"),
        ))
    })?;
    Ok((found, outcome))
}

/// Reads a resource that exists, and waits until IAM shows it.
async fn look<N: New>(google: &ControlPlane, new: &N, what: &str) -> Result<N::Found, Failure> {
    for pause in PAUSES {
        match new.look(google, what).await {
            Err(failure) if failure.class == Class::NotFound => {
                tracing::debug!(what, ?pause, "IAM does not show the resource yet");
                tokio::time::sleep(pause).await;
            }
            found => return found,
        }
    }
    new.look(google, what).await
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
