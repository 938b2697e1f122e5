//! A cluster's objects, as JSON. Grant key: `kubernetes`.

use std::time::Duration;

use serde_json::Value;

use crate::bindings::sidestep::host::types;
use crate::bindings::sidestep::kubernetes::objects;
use crate::error::{each, only};
use crate::{Error, OnExit, Result};

pub use objects::{
    Access, AccessQuery, ApplyOptions, CreateOptions, DeleteOptions, FollowOptions, ListQuery,
    ObjectRef, Pattern, PodRef, SecretData, SecretEntry,
};
pub use types::{Follow, Matched, Update};

use crate::Creation;

/// A created object, and whether it is new.
#[derive(Debug, Clone)]
pub struct Created {
    /// The object, as the API server has it.
    pub object: Value,
    /// Whether it is new, or an earlier incarnation of this attempt made it.
    pub outcome: Creation,
}

/// What a list found.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The objects.
    pub items: Vec<Value>,
    /// Whether there are more.
    pub truncated: bool,
}

/// An object; class `not-found` if it is not there.
pub fn get(object: ObjectRef) -> Result<Value> {
    parse(&only(objects::get(&[object]))?)
}

/// Objects, in the order asked.
pub fn get_all(refs: &[ObjectRef]) -> Vec<Result<Value>> {
    each(objects::get(refs))
        .into_iter()
        .map(|text| parse(&text?))
        .collect()
}

/// A list of objects.
pub fn list(query: ListQuery) -> Result<Listing> {
    only(objects::list(&[query])).and_then(|found| listing(&found))
}

/// Lists of objects, in the order asked.
pub fn list_all(queries: &[ListQuery]) -> Vec<Result<Listing>> {
    each(objects::list(queries))
        .into_iter()
        .map(|found| listing(&found?))
        .collect()
}

/// Creates an object.
pub fn create(target: &ObjectRef, object: &Value, options: &CreateOptions<'_>) -> Result<Created> {
    let created = objects::create(target, &object.to_string(), options)?;
    Ok(Created {
        object: parse(&created.object)?,
        outcome: created.outcome,
    })
}

/// Applies an object on the server's side.
pub fn apply(target: &ObjectRef, object: &Value, options: ApplyOptions) -> Result<Value> {
    parse(&objects::apply(target, &object.to_string(), options)?)
}

/// Deletes an object; one that is not there is no error.
pub fn delete(target: &ObjectRef, options: &DeleteOptions) -> Result<()> {
    objects::delete(target, options).map_err(Error::from)
}

/// Whether the runner may do something in a cluster.
pub fn can_i(query: AccessQuery) -> Result<Access> {
    only(objects::can_i(&[query]))
}

/// Whether the runner may do things, in the order asked.
pub fn can_i_all(queries: &[AccessQuery]) -> Vec<Result<Access>> {
    each(objects::can_i(queries))
}

/// Follows a pod's state, events and logs. Its log goes to the step's log by
/// itself.
pub fn follow_pod(pod: &PodRef, options: &FollowOptions) -> Result<Follow> {
    objects::follow_pod(pod, options).map_err(Error::from)
}

/// The next update of a followed pod; none if there is none within the time.
pub fn next(follow: &Follow, timeout: Duration) -> Result<Option<Update>> {
    follow
        .next(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
        .map_err(Error::from)
}

/// The last bytes of a container's log, to see why it failed.
pub fn tail(follow: &Follow, container: &str, max: u32) -> Result<String> {
    follow.tail(container, max).map_err(Error::from)
}

impl ObjectRef {
    /// An object of a namespace.
    pub fn namespaced(
        cluster: impl Into<String>,
        api_version: impl Into<String>,
        resource: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            cluster: cluster.into(),
            api_version: api_version.into(),
            resource: resource.into(),
            namespace: Some(namespace.into()),
            name: name.into(),
        }
    }
}

impl CreateOptions<'_> {
    /// The object is deleted when the step ends.
    pub fn temporary() -> Self {
        Self {
            secret_data: Vec::new(),
            on_exit: OnExit::Delete,
            expires: None,
            dry_run: false,
        }
    }

    /// The object stays.
    pub fn permanent() -> Self {
        Self {
            on_exit: OnExit::Keep,
            ..Self::temporary()
        }
    }
}

fn listing(found: &objects::Listing) -> Result<Listing> {
    Ok(Listing {
        items: found
            .items
            .iter()
            .map(|text| parse(text))
            .collect::<Result<_>>()?,
        truncated: found.truncated,
    })
}

fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|error| Error::from(error).context("reading an object of the cluster"))
}
