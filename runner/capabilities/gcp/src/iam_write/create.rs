//! Making something in IAM, or finding it there.

use sidestep_bindings::sidestep::host::types::Creation;
use sidestep_control_plane::ControlPlane;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::Priced;
use sidestep_google::Named;

/// Something to be made in IAM, and how it is known again.
pub(super) trait New: Sync {
    /// What the API has of it.
    type Found: Send;
    /// What a plugin gets of it.
    type Made;
    /// What an intent calls it.
    const KIND: &str;
    /// The contract's function that makes it.
    const FUNCTION: Priced;

    /// What it is to be called in full.
    fn named(&self) -> &Named;
    /// Makes it and waits until it is there; class `conflict` if something of its name is there.
    /// `what` completes "cannot …".
    fn make(
        &self,
        google: &ControlPlane,
        what: &str,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Looks at it.
    fn look(
        &self,
        google: &ControlPlane,
        what: &str,
    ) -> impl Future<Output = Result<Self::Found, Failure>> + Send;
    /// Whether this is what was asked for; if not, what differs.
    fn is(&self, found: &Self::Found) -> Result<(), String>;
    /// What tells it from another of its name.
    fn id(found: &Self::Found) -> String;
    /// Returns it as a plugin gets it.
    fn made(found: Self::Found) -> Self::Made;
}

/// Makes it, or finds it there.
///
/// # Errors
/// What IAM says; `iam.conflict` when something else of that name is there.
pub(super) async fn create<N: New>(
    google: &ControlPlane,
    new: &N,
) -> Result<(N::Found, Creation), Failure> {
    let name = new.named().name()?.as_str();
    let what = format!("make {name}");
    let outcome = match new.make(google, &what).await {
        Ok(()) => Creation::Created,
        Err(failure) if failure.class == Class::Conflict => Creation::AlreadyThere,
        Err(failure) => return Err(failure),
    };
    let found = new.look(google, &format!("look at {name}")).await?;
    new.is(&found).map_err(|why| {
        Failure::new(
            Class::Conflict,
            codes::iam::CONFLICT,
            Owner::Author,
            format!("cannot {what}: it is there already, and {why}"),
        )
    })?;
    Ok((found, outcome))
}

/// What was asked for is there; what was left open may be anything.
pub(super) fn same(what: &str, asked: Option<&String>, found: &str) -> Result<(), String> {
    match asked {
        Some(asked) if asked != found => Err(format!("its {what} is another")),
        _ => Ok(()),
    }
}

/// What was deleted keeps its name for 30 days.
pub(super) fn alive(state: &str, disabled: bool) -> Result<(), String> {
    match state {
        "DELETED" => Err("it was deleted; undelete it, or wait until it is gone".to_owned()),
        _ if disabled => Err("it is disabled".to_owned()),
        _ => Ok(()),
    }
}
