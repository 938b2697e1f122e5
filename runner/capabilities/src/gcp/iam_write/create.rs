//! Making something in IAM, or finding it there.

use http::Method;
use serde_json::Value;
use sidestep_events::{Class, Failure, Owner};

use super::new::New;
use super::operation::{self, Operation};
use crate::bindings::sidestep::host::types::Creation;
use crate::google::{Rest, Service};

/// Makes it, or finds it there.
///
/// # Errors
/// What IAM says; `iam.conflict` when something else of that name is there.
pub(super) async fn create<N: New>(
    google: &Rest,
    new: &N,
) -> Result<(N::Found, Creation), Failure> {
    let name = new.named().name()?.as_str();
    let what = format!("make {name}");
    let answer: Result<Value, Failure> = google
        .call(
            &what,
            Method::POST,
            Service::Iam,
            &new.path(),
            Some(&new.body()),
        )
        .await;
    let outcome = match (answer, N::OPERATION) {
        (Ok(_), None) => Creation::Created,
        (Ok(answer), Some(shape)) => {
            let operation: Operation = serde_json::from_value(answer).unwrap_or_default();
            operation::wait(google, &what, shape, operation).await?;
            Creation::Created
        }
        (Err(failure), _) if failure.class == Class::Conflict => Creation::AlreadyThere,
        (Err(failure), _) => return Err(failure),
    };
    let look = format!("look at {name}");
    let found: N::Found = google
        .get(&look, Service::Iam, &format!("/v1/{name}"))
        .await?;
    new.is(&found).map_err(|why| {
        Failure::new(
            Class::Conflict,
            "iam.conflict",
            Owner::Author,
            format!("cannot {what}: it is there already, and {why}"),
        )
    })?;
    Ok((found, outcome))
}
