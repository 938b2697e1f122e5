//! `sidestep:kubernetes/objects`: the interface's functions, each before the gate.

mod address;
mod following;
mod keys;
mod logins;
mod making;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sidestep_bindings::sidestep::host::types::{Failure as WitFailure, OnExit};
use sidestep_bindings::sidestep::kubernetes::objects as wit;
use sidestep_events::{Class, Failure, Foreign, Owner, codes};
use sidestep_gate::functions::kubernetes as functions;
use sidestep_gate::{CallError, Capability, Follow, NotCreated, StepState, convert};
use sidestep_policy::Capability as Key;
use sidestep_policy::kubernetes::KubernetesCall;
use wasmtime::component::{Linker, Resource};

use super::{Clusters, Deletion, Most, Owned, access};
use crate::{Calls, HasCalls};

use address::Address;
use making::{PodSecret, make};

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::Kubernetes,
    link,
};

/// The maximum number of objects in one list.
const LONGEST_LIST: u32 = 1000;
/// The maximum size of the answers of one list, in bytes. Their text, their trees and the returned
/// texts are within the price of a list.
const LARGEST_LIST: usize = 4 << 20;

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl Calls<'_> {
    pub(super) fn clusters(&self) -> wasmtime::Result<Arc<Clusters>> {
        self.services.get("client for clusters")
    }
}

impl wit::Host for Calls<'_> {
    async fn get(
        &mut self,
        refs: Vec<wit::ObjectRef>,
    ) -> wasmtime::Result<Vec<Result<String, WitFailure>>> {
        let clusters = self.clusters();
        self.each(clusters, refs, |gate, clusters, object| async move {
            let (at, name) = Address::of(object);
            let work = async { at.objects(&clusters).await?.get(&name).await };
            let object = at.call(&gate, functions::GET, "get").run(work).await;
            let object = at.note_rights(&gate, object)?;
            Ok(object.to_string())
        })
        .await
    }

    async fn list(
        &mut self,
        queries: Vec<wit::ListQuery>,
    ) -> wasmtime::Result<Vec<Result<wit::Listing, WitFailure>>> {
        let clusters = self.clusters();
        self.each(clusters, queries, |gate, clusters, query| async move {
            let at = Address::of_query(&query);
            let work = async {
                let labels = query.label_selector.as_deref();
                let fields = query.field_selector.as_deref();
                let most = Most {
                    objects: query.max.clamp(1, LONGEST_LIST),
                    bytes: LARGEST_LIST,
                };
                let objects = at.objects(&clusters).await?;
                objects.list(labels, fields, most).await
            };
            let listed = at.call(&gate, functions::LIST, "list").run(work).await;
            let (items, truncated) = at.note_rights(&gate, listed)?;
            Ok(wit::Listing {
                items: items.iter().map(Value::to_string).collect(),
                truncated,
            })
        })
        .await
    }

    async fn create(
        &mut self,
        object_ref: wit::ObjectRef,
        object: String,
        options: wit::CreateOptions,
    ) -> Result<wit::Created, CallError> {
        let (at, name) = Address::of(object_ref);
        let secrets = self.pod_secrets(&at, options.secret_data)?;
        let bytes = object.len() + secrets.iter().map(PodSecret::len).sum::<usize>();
        let object = at.object(&object, &name);
        let (object, refused) = self.judged(&at, "create", object, &secrets);
        let owned = Owned::of(&self.step, options.expires.and_then(convert::time));
        let intent = (!options.dry_run).then(|| at.intent(&object, &name, options.on_exit, &owned));
        let (gate, clusters) = (Arc::clone(&self.gate), self.clusters()?);
        let work = async {
            let objects = at.objects(&clusters).await;
            let objects = objects.map_err(NotCreated::certainly)?;
            for secret in &secrets {
                let possible = secret.possible(&clusters, &at, &owned).await;
                possible.map_err(NotCreated::certainly)?;
            }
            objects.create(object, &name, &owned, options.dry_run).await
        };
        let call = at.call(&gate, functions::CREATE.of(bytes), "create");
        let (made, new) = make(call.and_unless(refused), intent, work).await?;
        if !options.dry_run {
            for secret in &secrets {
                secret.make(&gate, &clusters, &at, &made, &owned).await?;
            }
        }
        Ok(wit::Created {
            object: made.to_string(),
            outcome: convert::creation(new),
        })
    }

    async fn apply(
        &mut self,
        object_ref: wit::ObjectRef,
        object: String,
        options: wit::ApplyOptions,
    ) -> Result<String, CallError> {
        let (at, name) = Address::of(object_ref);
        let bytes = object.len();
        let object = at.object(&object, &name);
        let (object, refused) = self.judged(&at, "apply", object, &[]);
        let owned = Owned::of(&self.step, None);
        let intent = (!options.dry_run).then(|| at.intent(&object, &name, options.on_exit, &owned));
        let goes = matches!(options.on_exit, OnExit::Delete);
        let clusters = self.clusters()?;
        let work = async {
            let objects = at.objects(&clusters).await;
            let objects = objects.map_err(NotCreated::certainly)?;
            let (force, dry_run) = (options.force, options.dry_run);
            let applied = if goes {
                objects
                    .apply_owned(object, &name, &owned, force, dry_run)
                    .await?
            } else {
                objects.apply(&object, &name, force, dry_run).await?
            };
            Ok((applied, ()))
        };
        let call = at.call(&self.gate, functions::APPLY.of(bytes), "apply");
        let (applied, ()) = make(call.and_unless(refused), intent, work).await?;
        Ok(applied.to_string())
    }

    async fn delete(
        &mut self,
        object: wit::ObjectRef,
        options: wit::DeleteOptions,
    ) -> Result<(), CallError> {
        let (at, name) = Address::of(object);
        let clusters = self.clusters()?;
        let work = async {
            let wait = options.wait.map(Duration::from_millis);
            let uid = options.uid.as_deref();
            let objects = at.objects(&clusters).await?;
            match (objects.delete(&name, uid, options.grace, wait).await?, wait) {
                (
                    Deletion::Going {
                        unseen: Some(why), ..
                    },
                    Some(_),
                ) => Err(*why),
                (Deletion::Going { .. }, Some(wait)) => Err(objects.slow(&name, wait)),
                _ => Ok(()),
            }
        };
        let call = at.call(&self.gate, functions::DELETE, "delete");
        Ok(call.run(work).await?)
    }

    async fn can_i(
        &mut self,
        queries: Vec<wit::AccessQuery>,
    ) -> wasmtime::Result<Vec<Result<wit::Access, WitFailure>>> {
        let clusters = self.clusters();
        self.each(clusters, queries, |gate, clusters, query| async move {
            let call = KubernetesCall {
                cluster: &query.cluster,
                namespace: query.namespace.as_deref().unwrap_or_default(),
                resource: &access::resource(&query),
                action: "canI",
            };
            let work = async {
                let client = clusters.client(&query.cluster).await?;
                access::can_i(client, &query).await
            };
            let access = gate.call(functions::CAN_I, &call).run(work).await;
            gate.shown().rights(access, |access| !access.allowed)
        })
        .await
    }

    async fn registry_logins(&mut self, query: wit::LoginsQuery) -> Result<wit::Logins, CallError> {
        self.logins(query).await
    }

    async fn key_facts(
        &mut self,
        secrets: Vec<wit::ObjectRef>,
    ) -> wasmtime::Result<Vec<Result<Vec<wit::EntryKey>, WitFailure>>> {
        self.facts_of(secrets).await
    }

    async fn follow_pod(
        &mut self,
        pod: wit::PodRef,
        options: wit::FollowOptions,
    ) -> Result<Resource<Follow>, CallError> {
        let follow = self.begin_following(pod, options).await?;
        Ok(self.table.push(follow)?)
    }
}

fn invalid(message: impl Into<Foreign>) -> Failure {
    Failure::new(
        Class::InvalidInput,
        codes::kubernetes::INVALID,
        Owner::Plugin,
        message,
    )
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use keys::tests::keys_of;
#[cfg(test)]
pub(crate) use tests::{apply_for_the_step, create_with_secret, open};
