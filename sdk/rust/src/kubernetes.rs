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
    /// The object, as the API server returned it.
    pub object: Value,
    /// Whether it is new, or an earlier incarnation of this attempt created it.
    pub outcome: Creation,
}

/// The objects of a list.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The objects.
    pub items: Vec<Value>,
    /// Whether there are more.
    pub truncated: bool,
}

/// Returns an object. Fails with class `not-found` if it does not exist.
pub fn get(object: ObjectRef) -> Result<Value> {
    parse(&only(objects::get(&[object]))?)
}

/// Returns objects, in the order of the references.
pub fn get_all(refs: &[ObjectRef]) -> Vec<Result<Value>> {
    each(objects::get(refs))
        .into_iter()
        .map(|text| parse(&text?))
        .collect()
}

/// Lists objects.
pub fn list(query: ListQuery) -> Result<Listing> {
    only(objects::list(&[query])).and_then(|found| listing(&found))
}

/// Returns lists of objects, in the order of the queries.
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

/// Applies an object (server-side apply).
pub fn apply(target: &ObjectRef, object: &Value, options: ApplyOptions) -> Result<Value> {
    parse(&objects::apply(target, &object.to_string(), options)?)
}

/// Deletes an object. Succeeds if it does not exist.
pub fn delete(target: &ObjectRef, options: &DeleteOptions) -> Result<()> {
    objects::delete(target, options).map_err(Error::from)
}

/// Returns whether the runner may perform an action in a cluster.
pub fn can_i(query: AccessQuery) -> Result<Access> {
    only(objects::can_i(&[query]))
}

/// Returns whether the runner may perform actions, in the order of the queries.
pub fn can_i_all(queries: &[AccessQuery]) -> Vec<Result<Access>> {
    each(objects::can_i(queries))
}

/// Follows a pod's state, events and logs. The host copies the pod's log to the
/// step's log.
pub fn follow_pod(pod: &PodRef, options: &FollowOptions) -> Result<Follow> {
    objects::follow_pod(pod, options).map_err(Error::from)
}

/// Returns the next update of a followed pod, or `None` after `timeout`.
pub fn next(follow: &Follow, timeout: Duration) -> Result<Option<Update>> {
    follow
        .next(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
        .map_err(Error::from)
}

/// Returns the last bytes of a container's log, which may show why it failed.
pub fn tail(follow: &Follow, container: &str, max: u32) -> Result<String> {
    follow.tail(container, max).map_err(Error::from)
}

impl ObjectRef {
    /// Returns a reference to an object in a namespace.
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
    /// Returns options for an object that is deleted when the step ends.
    pub fn temporary() -> Self {
        Self {
            secret_data: Vec::new(),
            on_exit: OnExit::Delete,
            expires: None,
            dry_run: false,
        }
    }

    /// Returns options for an object that is kept.
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
