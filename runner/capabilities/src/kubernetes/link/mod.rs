//! `sidestep:kubernetes/objects`: the interface's functions, each before the gate.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::authorization::v1::ResourceAttributes;
use regex::Regex;
use serde_json::{Value, json};
use sidestep_events::{Class, Failure, OnExit, Owner, Place};
use sidestep_policy::Capability as Key;
use sidestep_policy::kubernetes::Request;
use wasmtime::component::{HasSelf, Linker, Resource};

use super::access::can_i;
use super::follow::{PodFollow, Target as FollowTarget};
use super::outlet::StepOutlet;
use super::{Clusters, Objects, Owned, Target};
use crate::bindings::sidestep::host::types::{self as host, Failure as WitFailure};
use crate::bindings::sidestep::kubernetes::objects as wit;
use crate::{CallError, Capability, Follow, Gate, NewIntent, StepContext, StepState};

/// Grant key, interface and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::Kubernetes,
    interface: "sidestep:kubernetes/objects",
    version: "0.1.0",
    link,
};

/// The most objects of one list.
const LONGEST_LIST: u32 = 1000;
/// The most patterns of one following.
const MOST_PATTERNS: usize = 64;
/// The largest compiled pattern, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;
/// How long an object is kept when nobody says.
const EXPIRY: SignedDuration = SignedDuration::from_hours(24);

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<StepState>>(linker, |state| state)
}

impl wit::Host for StepState {
    async fn get(
        &mut self,
        refs: Vec<wit::ObjectRef>,
    ) -> wasmtime::Result<Vec<Result<String, WitFailure>>> {
        let (gate, clusters) = (Arc::clone(&self.gate), self.clusters()?);
        let answers = gate.each(refs, |object| {
            let (gate, clusters) = (&gate, &clusters);
            async move {
                let target = target(&object);
                let resource = target.policy_resource();
                let call = request(&object.cluster, object.namespace.as_ref(), &resource, "get");
                gate.call("get", &call)
                    .run(async {
                        let client = clusters.client(&object.cluster).await?;
                        Objects::new(client, target.clone()).get(&object.name).await
                    })
                    .await
            }
        });
        let answers = answers.await.into_iter();
        Ok(answers
            .map(|answer| {
                answer
                    .map(|o| o.to_string())
                    .map_err(|why| self.failure(why))
            })
            .collect())
    }

    async fn list(
        &mut self,
        queries: Vec<wit::ListQuery>,
    ) -> wasmtime::Result<Vec<Result<wit::Listing, WitFailure>>> {
        let (gate, clusters) = (Arc::clone(&self.gate), self.clusters()?);
        let answers = gate.each(queries, |query| {
            let (gate, clusters) = (&gate, &clusters);
            async move {
                let target = Target {
                    api_version: query.api_version,
                    resource: query.resource,
                    namespace: query.namespace.clone(),
                };
                let resource = target.policy_resource();
                let call = request(&query.cluster, query.namespace.as_ref(), &resource, "list");
                gate.call("list", &call)
                    .run(async {
                        let client = clusters.client(&query.cluster).await?;
                        let labels = query.label_selector.as_deref();
                        let fields = query.field_selector.as_deref();
                        let max = query.max.clamp(1, LONGEST_LIST);
                        Objects::new(client, target.clone())
                            .list(labels, fields, max)
                            .await
                    })
                    .await
            }
        });
        let answers = answers.await.into_iter();
        Ok(answers
            .map(|answer| match answer {
                Ok((items, truncated)) => Ok(wit::Listing {
                    items: items.iter().map(Value::to_string).collect(),
                    truncated,
                }),
                Err(why) => Err(self.failure(why)),
            })
            .collect())
    }

    async fn create(
        &mut self,
        object_ref: wit::ObjectRef,
        object: String,
        options: wit::CreateOptions,
    ) -> Result<wit::Created, CallError> {
        let target = target(&object_ref);
        let resource = target.policy_resource();
        let call = request(
            &object_ref.cluster,
            object_ref.namespace.as_ref(),
            &resource,
            "create",
        );
        let gate = Arc::clone(&self.gate);
        let object = named_object(&object, &object_ref)?;
        let secrets = self.secrets(&options, object_ref.namespace.as_deref())?;
        let own: Vec<&str> = options
            .secret_data
            .iter()
            .map(|secret| &*secret.name)
            .collect();
        if let Err(refusal) = self.step.scopes.admits(&call, &object, &own) {
            // The gate says it better where the call itself is not granted.
            gate.call("create", &call)
                .run(async { Err::<(), _>(refusal.failure()) })
                .await?;
        }
        let clusters = self.clusters()?;
        let owned = owned(&self.step, options.expires);
        let dry_run = options.dry_run;
        let work = async {
            let client = clusters.client(&object_ref.cluster).await?;
            let objects = Objects::new(client, target.clone());
            objects
                .create(object.clone(), &object_ref.name, &owned, dry_run)
                .await
        };
        let called = gate.call("create", &call);
        let (made, new) = if dry_run {
            called.run(work).await?
        } else {
            let kind = object["kind"].as_str().unwrap_or(&resource).to_lowercase();
            let intent = intent(
                &object_ref,
                &kind,
                &object_ref.name,
                options.on_exit,
                &owned,
            );
            let work = async {
                let (made, new) = work.await?;
                let uid = made["metadata"]["uid"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                Ok(((made, new), uid))
            };
            called.create(intent, work).await?
        };
        if !dry_run {
            for secret in secrets {
                create_secret(&gate, &clusters, &object_ref, &made, secret, &owned).await?;
            }
        }
        Ok(wit::Created {
            object: made.to_string(),
            outcome: if new {
                host::Creation::Created
            } else {
                host::Creation::AlreadyThere
            },
        })
    }

    async fn apply(
        &mut self,
        object_ref: wit::ObjectRef,
        object: String,
        options: wit::ApplyOptions,
    ) -> Result<String, CallError> {
        let target = target(&object_ref);
        let resource = target.policy_resource();
        let call = request(
            &object_ref.cluster,
            object_ref.namespace.as_ref(),
            &resource,
            "apply",
        );
        let gate = Arc::clone(&self.gate);
        let object = named_object(&object, &object_ref)?;
        if let Err(refusal) = self.step.scopes.admits(&call, &object, &[]) {
            gate.call("apply", &call)
                .run(async { Err::<(), _>(refusal.failure()) })
                .await?;
        }
        let clusters = self.clusters()?;
        let work = async {
            let client = clusters.client(&object_ref.cluster).await?;
            let objects = Objects::new(client, target.clone());
            objects
                .apply(&object, &object_ref.name, options.force, options.dry_run)
                .await
        };
        let called = gate.call("apply", &call);
        let applied = if options.dry_run {
            called.run(work).await?
        } else {
            let owned = owned(&self.step, None);
            let kind = object["kind"].as_str().unwrap_or(&resource).to_lowercase();
            let intent = intent(
                &object_ref,
                &kind,
                &object_ref.name,
                options.on_exit,
                &owned,
            );
            let work = async {
                let applied = work.await?;
                let uid = applied["metadata"]["uid"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                Ok((applied, uid))
            };
            called.create(intent, work).await?
        };
        Ok(applied.to_string())
    }

    async fn delete(
        &mut self,
        object: wit::ObjectRef,
        options: wit::DeleteOptions,
    ) -> Result<(), CallError> {
        let target = target(&object);
        let resource = target.policy_resource();
        let call = request(
            &object.cluster,
            object.namespace.as_ref(),
            &resource,
            "delete",
        );
        let clusters = self.clusters()?;
        let work = async {
            let client = clusters.client(&object.cluster).await?;
            let wait = options.wait.map(Duration::from_millis);
            let uid = options.uid.as_deref();
            Objects::new(client, target.clone())
                .delete(&object.name, uid, options.grace, wait)
                .await
        };
        Ok(self.gate.call("delete", &call).run(work).await?)
    }

    async fn can_i(
        &mut self,
        queries: Vec<wit::AccessQuery>,
    ) -> wasmtime::Result<Vec<Result<wit::Access, WitFailure>>> {
        let (gate, clusters) = (Arc::clone(&self.gate), self.clusters()?);
        let answers = gate.each(queries, |query| {
            let (gate, clusters) = (&gate, &clusters);
            async move {
                let resource = if query.group.is_empty() {
                    query.resource.clone()
                } else {
                    format!("{}.{}", query.resource, query.group)
                };
                let call = request(&query.cluster, query.namespace.as_ref(), &resource, "canI");
                gate.call("can-i", &call)
                    .run(async {
                        let client = clusters.client(&query.cluster).await?;
                        can_i(client, attributes(&query)).await
                    })
                    .await
            }
        });
        let answers = answers.await.into_iter();
        Ok(answers
            .map(|answer| match answer {
                Ok((allowed, reason)) => Ok(wit::Access { allowed, reason }),
                Err(why) => Err(self.failure(why)),
            })
            .collect())
    }

    async fn follow_pod(
        &mut self,
        pod: wit::PodRef,
        options: wit::FollowOptions,
    ) -> Result<Resource<Follow>, CallError> {
        let patterns = patterns(options.patterns)?;
        let namespace = Some(&pod.namespace);
        for (resource, action) in [("pods", "watch"), ("pods/log", "get")] {
            let call = request(&pod.cluster, namespace, resource, action);
            self.gate
                .call("follow-pod", &call)
                .run(async { Ok(()) })
                .await?;
        }
        let events = request(&pod.cluster, namespace, "events", "watch");
        let events = self.step.scopes.allows(&events).is_ok();
        let clusters = self.clusters()?;
        let client = self
            .gate
            .unless_cancelled(clusters.client(&pod.cluster))
            .await?;
        let named = format!("{}/{}", pod.namespace, pod.name);
        let positions = self
            .step
            .log_positions
            .get(&named)
            .cloned()
            .unwrap_or_else(HashMap::new);
        let target = FollowTarget {
            namespace: pod.namespace,
            name: pod.name,
            uid: pod.uid,
            containers: options.containers,
            patterns,
            events,
            positions,
        };
        let outlet = Arc::new(StepOutlet::new(Arc::clone(&self.step), named));
        let follow = Follow::new(PodFollow::start(client, target, outlet));
        Ok(self.table.push(follow)?)
    }
}

/// A Secret that a pod owns, before the pod is there.
struct PodSecret {
    name: String,
    kind: String,
    /// Key and text; kept only until it is sent.
    entries: Vec<(String, String)>,
}

impl StepState {
    fn clusters(&self) -> wasmtime::Result<Arc<Clusters>> {
        self.services
            .clusters
            .clone()
            .ok_or_else(|| wasmtime::Error::msg("this run has no clients for clusters"))
    }

    fn secrets(
        &self,
        options: &wit::CreateOptions,
        namespace: Option<&str>,
    ) -> Result<Vec<PodSecret>, CallError> {
        if !options.secret_data.is_empty() && namespace.is_none() {
            return Err(invalid("only a pod in a namespace can own Secrets").into());
        }
        let mut secrets = Vec::new();
        for data in &options.secret_data {
            let mut entries = Vec::new();
            for entry in &data.entries {
                entries.push((
                    entry.key.clone(),
                    self.table.get(&entry.value)?.expose().to_owned(),
                ));
            }
            secrets.push(PodSecret {
                name: data.name.clone(),
                kind: data.secret_type.clone(),
                entries,
            });
        }
        Ok(secrets)
    }
}

/// Makes a Secret that goes with its pod. The pod waits for it: it names it.
async fn create_secret(
    gate: &Gate,
    clusters: &Clusters,
    pod_ref: &wit::ObjectRef,
    pod: &Value,
    secret: PodSecret,
    owned: &Owned,
) -> Result<(), Failure> {
    let data: serde_json::Map<String, Value> = secret
        .entries
        .into_iter()
        .map(|(key, text)| (key, Value::String(text)))
        .collect();
    let object = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": secret.kind,
        "metadata": {
            "name": secret.name,
            "namespace": pod_ref.namespace,
            "ownerReferences": [{
                "apiVersion": "v1",
                "kind": "Pod",
                "name": pod_ref.name,
                "uid": pod["metadata"]["uid"],
            }],
        },
        "stringData": data,
    });
    let target = Target {
        api_version: "v1".to_owned(),
        resource: "secrets".to_owned(),
        namespace: pod_ref.namespace.clone(),
    };
    // The grant is the pod's: a Secret that only this pod can use is part of it.
    let call = request(
        &pod_ref.cluster,
        pod_ref.namespace.as_ref(),
        "pods",
        "create",
    );
    let intent = intent(pod_ref, "secret", &secret.name, host::OnExit::Delete, owned);
    let work = async {
        let client = clusters.client(&pod_ref.cluster).await?;
        let (made, _) = Objects::new(client, target)
            .create(object, &secret.name, owned, false)
            .await?;
        let uid = made["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok(((), uid))
    };
    gate.call("create", &call).create(intent, work).await
}

fn target(object: &wit::ObjectRef) -> Target {
    Target {
        api_version: object.api_version.clone(),
        resource: object.resource.clone(),
        namespace: object.namespace.clone(),
    }
}

fn request<'a>(
    cluster: &'a str,
    namespace: Option<&'a String>,
    resource: &'a str,
    action: &'a str,
) -> Request<'a> {
    Request {
        cluster,
        namespace: namespace.map_or("", String::as_str),
        resource,
        action,
    }
}

/// The object as JSON, under the name and in the namespace that the call names.
fn named_object(text: &str, target: &wit::ObjectRef) -> Result<Value, Failure> {
    let mut object: Value = serde_json::from_str(text)
        .map_err(|error| invalid(format!("the object is no JSON: {error}")))?;
    let fields = object
        .as_object_mut()
        .ok_or_else(|| invalid("the object is no JSON object"))?;
    let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
    let expected = [
        ("name", Some(&target.name)),
        ("namespace", target.namespace.as_ref()),
    ];
    for (key, expected) in expected {
        match (metadata[key].as_str(), expected) {
            (Some(found), Some(expected)) if found != expected => {
                return Err(invalid(format!(
                    "the object's {key} is `{found}`, and the call's is `{expected}`"
                )));
            }
            (Some(found), None) => {
                return Err(invalid(format!(
                    "the object has a {key} (`{found}`), the call none"
                )));
            }
            (None, Some(expected)) => metadata[key] = Value::String(expected.clone()),
            _ => {}
        }
    }
    Ok(object)
}

fn owned(step: &StepContext, expires: Option<u64>) -> Owned {
    let expires = expires
        .and_then(|ms| Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok())
        .unwrap_or_else(|| {
            Timestamp::now()
                .saturating_add(EXPIRY)
                .unwrap_or(Timestamp::MAX)
        });
    Owned {
        by: format!("{}/{}/{}", step.run, step.instance, step.attempt),
        expires: expires.to_string(),
    }
}

fn intent(
    object: &wit::ObjectRef,
    kind: &str,
    name: &str,
    on_exit: host::OnExit,
    owned: &Owned,
) -> NewIntent {
    NewIntent {
        kind: kind.to_owned(),
        place: Place::Cluster {
            cluster: object.cluster.clone(),
            namespace: object.namespace.clone().unwrap_or_default(),
        },
        name: name.to_owned(),
        on_exit: match on_exit {
            host::OnExit::Keep => OnExit::Keep,
            host::OnExit::Delete => OnExit::Delete,
        },
        expiry: owned.expires.parse().ok(),
    }
}

fn attributes(query: &wit::AccessQuery) -> ResourceAttributes {
    let (resource, subresource) = match query.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (query.resource.as_str(), None),
    };
    ResourceAttributes {
        namespace: query.namespace.clone(),
        verb: Some(query.verb.clone()),
        group: Some(query.group.clone()),
        resource: Some(resource.to_owned()),
        subresource,
        name: query.name.clone(),
        ..ResourceAttributes::default()
    }
}

fn patterns(patterns: Vec<wit::Pattern>) -> Result<Vec<(String, Regex)>, Failure> {
    if patterns.len() > MOST_PATTERNS {
        return Err(invalid(format!(
            "at most {MOST_PATTERNS} patterns can be followed"
        )));
    }
    let compile = |pattern: wit::Pattern| {
        let regex = regex::RegexBuilder::new(&pattern.regex)
            .size_limit(LARGEST_PATTERN)
            .build()
            .map_err(|error| invalid(format!("pattern `{}`: {error}", pattern.id)))?;
        Ok((pattern.id, regex))
    };
    patterns.into_iter().map(compile).collect()
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(
        Class::InvalidInput,
        "kubernetes.invalid",
        Owner::Plugin,
        message,
    )
}
