//! A cluster's objects, as JSON. Grant key: `kubernetes`.

use std::time::Duration;

use serde_json::Value;

use crate::bindings::sidestep::host::types;
use crate::bindings::sidestep::kubernetes::objects;
use crate::error::{each, only};
use crate::{Error, OnExit, Result};

pub use objects::{
    Access, AccessQuery, ApplyOptions, CreateOptions, DeleteOptions, FollowOptions, ListQuery,
    Logins, LoginsQuery, ObjectRef, Pattern, PodRef, SecretData, SecretEntry,
};
pub use types::{EntryKey, Follow, KeyFact, Matched, Update};

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
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, ObjectRef};
///
/// # fn main() -> sidestep::Result<()> {
/// let account = ObjectRef::namespaced("ci", "v1", "serviceaccounts", "builds", "kaniko");
/// let annotations = &kubernetes::get(account)?["metadata"]["annotations"];
/// # Ok(())
/// # }
/// ```
pub fn get(object: ObjectRef) -> Result<Value> {
    parse(&only(objects::get(&[object]))?)
}

/// Returns objects, in the order of the references.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, ObjectRef};
///
/// # fn main() -> sidestep::Result<()> {
/// let pod = |name: &str| ObjectRef::namespaced("ci", "v1", "pods", "builds", name);
/// for pod in kubernetes::get_all(&[pod("a"), pod("b")]) {
///     sidestep::info!("{}", pod?["status"]["phase"]);
/// }
/// # Ok(())
/// # }
/// ```
pub fn get_all(refs: &[ObjectRef]) -> Vec<Result<Value>> {
    each(objects::get(refs))
        .into_iter()
        .map(|text| parse(&text?))
        .collect()
}

/// Lists objects.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, ListQuery};
///
/// # fn main() -> sidestep::Result<()> {
/// let pods = kubernetes::list(ListQuery {
///     cluster: "ci".to_owned(),
///     api_version: "v1".to_owned(),
///     resource: "pods".to_owned(),
///     namespace: Some("builds".to_owned()),
///     label_selector: Some("app=api".to_owned()),
///     field_selector: None,
///     max: 100,
/// })?;
/// sidestep::info!("{} pods", pods.items.len());
/// # Ok(())
/// # }
/// ```
pub fn list(query: ListQuery) -> Result<Listing> {
    only(objects::list(&[query])).and_then(|found| listing(&found))
}

/// Returns lists of objects, in the order of the queries.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, ListQuery};
///
/// fn pods(queries: &[ListQuery]) -> sidestep::Result<usize> {
///     let mut pods = 0;
///     for list in kubernetes::list_all(queries) {
///         pods += list?.items.len();
///     }
///     Ok(pods)
/// }
/// ```
pub fn list_all(queries: &[ListQuery]) -> Vec<Result<Listing>> {
    each(objects::list(queries))
        .into_iter()
        .map(|found| listing(&found?))
        .collect()
}

/// Creates an object.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, CreateOptions, ObjectRef};
///
/// # fn main() -> sidestep::Result<()> {
/// let target = ObjectRef::namespaced("ci", "v1", "configmaps", "builds", "settings");
/// let object = sidestep::serde_json::json!({ "data": { "mode": "fast" } });
/// kubernetes::create(&target, &object, &CreateOptions::temporary())?;
/// # Ok(())
/// # }
/// ```
pub fn create(target: &ObjectRef, object: &Value, options: &CreateOptions<'_>) -> Result<Created> {
    let created = objects::create(target, &object.to_string(), options)?;
    Ok(Created {
        object: parse(&created.object)?,
        outcome: created.outcome,
    })
}

/// Applies an object (server-side apply).
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::OnExit;
/// use sidestep::kubernetes::{self, ApplyOptions, ObjectRef};
///
/// # fn main() -> sidestep::Result<()> {
/// let target = ObjectRef::namespaced("ci", "apps/v1", "deployments", "web", "api");
/// let change = sidestep::serde_json::json!({ "spec": { "replicas": 3 } });
/// let options = ApplyOptions { force: false, on_exit: OnExit::Keep, dry_run: false };
/// kubernetes::apply(&target, &change, options)?;
/// # Ok(())
/// # }
/// ```
pub fn apply(target: &ObjectRef, object: &Value, options: ApplyOptions) -> Result<Value> {
    parse(&objects::apply(target, &object.to_string(), options)?)
}

/// Deletes an object. Succeeds if it does not exist.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, DeleteOptions, ObjectRef};
///
/// # fn main() -> sidestep::Result<()> {
/// let target = ObjectRef::namespaced("ci", "v1", "pods", "builds", "build-1");
/// let options = DeleteOptions { uid: None, grace: Some(5), wait: Some(15_000) };
/// kubernetes::delete(&target, &options)?;
/// # Ok(())
/// # }
/// ```
pub fn delete(target: &ObjectRef, options: &DeleteOptions) -> Result<()> {
    objects::delete(target, options).map_err(Error::from)
}

/// Returns whether the runner may perform an action in a cluster.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, AccessQuery};
///
/// # fn main() -> sidestep::Result<()> {
/// let access = kubernetes::can_i(AccessQuery {
///     cluster: "ci".to_owned(),
///     namespace: Some("builds".to_owned()),
///     verb: "create".to_owned(),
///     group: String::new(),
///     resource: "pods".to_owned(),
///     name: None,
/// })?;
/// assert!(access.allowed);
/// # Ok(())
/// # }
/// ```
pub fn can_i(query: AccessQuery) -> Result<Access> {
    only(objects::can_i(&[query]))
}

/// Returns whether the runner may perform actions, in the order of the queries.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, AccessQuery};
///
/// fn all_allowed(queries: &[AccessQuery]) -> sidestep::Result<bool> {
///     let answers: Vec<_> = kubernetes::can_i_all(queries)
///         .into_iter()
///         .collect::<sidestep::Result<_>>()?;
///     Ok(answers.iter().all(|access| access.allowed))
/// }
/// ```
pub fn can_i_all(queries: &[AccessQuery]) -> Vec<Result<Access>> {
    each(objects::can_i(queries))
}

/// Returns the registry credentials in a Secret of type `kubernetes.io/dockerconfigjson`, for
/// [`registry::Logins`](crate::registry::Logins). Every password and token in it is masked.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, LoginsQuery};
///
/// # fn main() -> sidestep::Result<()> {
/// let logins = kubernetes::registry_logins(LoginsQuery {
///     cluster: "ci".to_owned(),
///     namespace: "builds".to_owned(),
///     secret: "registry".to_owned(),
///     repositories: vec!["ghcr.io/demo/api".to_owned()],
/// })?;
/// sidestep::info!("no credentials for {:?}", logins.missing);
/// # Ok(())
/// # }
/// ```
pub fn registry_logins(query: LoginsQuery) -> Result<Logins> {
    objects::registry_logins(&query).map_err(Error::from)
}

/// Returns the keys in Secrets, in the order of the references, without any part of their bytes.
/// Needs the action `keyFacts`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, ObjectRef};
///
/// # fn main() -> sidestep::Result<()> {
/// let secret = ObjectRef::namespaced("ci", "v1", "secrets", "builds", "app-key");
/// for keys in kubernetes::key_facts(&[secret]) {
///     for key in keys? {
///         sidestep::warn!("{} holds the key {:?}", key.entry, key.fact.key_id);
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub fn key_facts(secrets: &[ObjectRef]) -> Vec<Result<Vec<EntryKey>>> {
    each(objects::key_facts(secrets))
}

/// Follows a pod's state, events and logs. The host copies the pod's log to the
/// step's log.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, FollowOptions, PodRef, Update};
///
/// # fn main() -> sidestep::Result<()> {
/// let pod = PodRef {
///     cluster: "ci".to_owned(),
///     namespace: "builds".to_owned(),
///     name: "build-1".to_owned(),
///     uid: None,
/// };
/// let options = FollowOptions { containers: vec!["main".to_owned()], patterns: Vec::new() };
/// let follow = kubernetes::follow_pod(&pod, &options)?;
/// while let Some(update) = kubernetes::next(&follow, std::time::Duration::from_secs(60))? {
///     if let Update::Ended(state) = update {
///         sidestep::info!("ended: {state}");
///         break;
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub fn follow_pod(pod: &PodRef, options: &FollowOptions) -> Result<Follow> {
    objects::follow_pod(pod, options).map_err(Error::from)
}

/// Returns the next update of a followed pod, or `None` after `timeout`.
///
/// # Errors
///
/// If the pod can no longer be followed.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, Follow};
///
/// # fn main() -> sidestep::Result<()> {
/// fn wait(follow: &Follow) -> sidestep::Result<bool> {
///     let update = kubernetes::next(follow, std::time::Duration::from_secs(30))?;
///     Ok(update.is_some())
/// }
/// # Ok(())
/// # }
/// ```
pub fn next(follow: &Follow, timeout: Duration) -> Result<Option<Update>> {
    follow
        .next(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
        .map_err(Error::from)
}

/// Returns the last bytes of a container's log, which may show why it failed.
///
/// # Errors
///
/// If the log can't be read.
///
/// # Examples
///
/// ```no_run
/// use sidestep::kubernetes::{self, Follow};
///
/// # fn main() -> sidestep::Result<()> {
/// fn last_words(follow: &Follow) -> sidestep::Result<String> {
///     kubernetes::tail(follow, "main", 4096)
/// }
/// # Ok(())
/// # }
/// ```
pub fn tail(follow: &Follow, container: &str, max: u32) -> Result<String> {
    follow.tail(container, max).map_err(Error::from)
}

impl ObjectRef {
    /// Returns a reference to an object in a namespace.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::kubernetes::ObjectRef;
    ///
    /// let pod = ObjectRef::namespaced("ci", "v1", "pods", "builds", "build-1");
    /// assert_eq!(pod.namespace.as_deref(), Some("builds"));
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{OnExit, kubernetes::CreateOptions};
    ///
    /// assert_eq!(CreateOptions::temporary().on_exit, OnExit::Delete);
    /// ```
    pub fn temporary() -> Self {
        Self {
            secret_data: Vec::new(),
            on_exit: OnExit::Delete,
            expires: None,
            dry_run: false,
        }
    }

    /// Returns options for an object that is kept.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::{OnExit, kubernetes::CreateOptions};
    ///
    /// assert_eq!(CreateOptions::permanent().on_exit, OnExit::Keep);
    /// ```
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
