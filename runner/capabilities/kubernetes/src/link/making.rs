//! Writes objects: they are checked, journaled and marked as the step's.

use serde_json::{Value, json};
use sidestep_bindings::sidestep::host::types::OnExit;
use sidestep_bindings::sidestep::kubernetes::objects as wit;
use sidestep_events::Failure;
use sidestep_gate::functions::kubernetes as functions;
use sidestep_gate::{CallError, Gate, GateCall, NewIntent, NotCreated, Secret};
use wasmtime::component::Resource;

use super::super::{Clusters, Owned};
use super::address::{Address, wrong_part};
use super::invalid;
use crate::Calls;

/// The maximum size of all Secrets that one pod owns, in bytes. A cluster stores at most 1 MiB of
/// each (Kubernetes, "Secrets").
const LARGEST_SECRETS: usize = 1 << 20;

/// Brings a write before the gate. Without an intent it leaves nothing behind: a dry run. `work`
/// returns the object and additional results.
pub(super) async fn make<T>(
    call: GateCall<'_>,
    intent: Option<NewIntent>,
    work: impl Future<Output = Result<(Value, T), NotCreated>>,
) -> Result<(Value, T), Failure> {
    let Some(intent) = intent else {
        let work = async { work.await.map_err(|not_created| not_created.failure) };
        return call.run(work).await;
    };
    let work = async {
        let (made, more) = work.await?;
        let uid = made["metadata"]["uid"].as_str().unwrap_or_default();
        let uid = uid.to_owned();
        Ok(((made, more), uid))
    };
    call.create(intent, work).await
}

impl Calls<'_> {
    /// Returns the object, and the reason why the step may not write it, though it may write others
    /// there.
    pub(super) fn judged(
        &self,
        at: &Address,
        action: &str,
        object: Result<Value, Failure>,
        own: &[PodSecret],
    ) -> (Value, Option<Failure>) {
        let object = match object {
            Ok(object) => object,
            Err(wrong) => return (Value::Null, Some(wrong)),
        };
        let names: Vec<&str> = own.iter().map(|secret| &*secret.name).collect();
        let admitted = self.step.scopes.admits(&at.judged(action), &object, &names);
        let refused = admitted.err().map(|refusal| refusal.failure());
        let wrong = || own.iter().find_map(PodSecret::wrong_name);
        (object, refused.or_else(wrong))
    }

    /// Reads the Secrets that a pod will own.
    pub(super) fn pod_secrets(
        &self,
        at: &Address,
        secrets: Vec<wit::SecretData>,
    ) -> Result<Vec<PodSecret>, CallError> {
        let takes_secrets = at.is_pods() && at.namespace().is_some();
        if !secrets.is_empty() && !takes_secrets {
            return Err(invalid("only a pod in a namespace can own Secrets").into());
        }
        let exposed = |secret: &Resource<Secret>| self.table.get(secret).map(Secret::expose);
        // One handle may be used in any number of entries, so their size is added up before they
        // are copied.
        let mut bytes = 0_usize;
        for entry in secrets.iter().flat_map(|secret| &secret.entries) {
            bytes = bytes.saturating_add(exposed(&entry.value)?.len());
        }
        if bytes > LARGEST_SECRETS {
            return Err(invalid(format!(
                "the Secrets of a pod hold {bytes} bytes; at most {LARGEST_SECRETS} are sent"
            ))
            .into());
        }
        let read = |data: wit::SecretData| {
            let entries = data.entries.into_iter();
            Ok(PodSecret {
                name: data.name,
                kind: data.secret_type,
                entries: entries
                    .map(|entry| Ok((entry.key, exposed(&entry.value)?.to_owned())))
                    .collect::<Result<_, CallError>>()?,
            })
        };
        secrets.into_iter().map(read).collect()
    }
}

/// A Secret that a pod owns, before the pod exists.
pub(super) struct PodSecret {
    name: String,
    kind: String,
    /// Keys and texts; kept only until they are sent.
    entries: Vec<(String, String)>,
}

impl PodSecret {
    /// Returns the number of bytes of its texts.
    pub(super) fn len(&self) -> usize {
        let entries = self.entries.iter();
        entries.map(|(key, text)| key.len() + text.len()).sum()
    }

    fn wrong_name(&self) -> Option<Failure> {
        wrong_part("name", &self.name)
    }

    /// Checks that the Secret can be created, before its pod is. A node gives a running pod any
    /// Secret of that name, so a pod must not exist while the name is another client's.
    pub(super) async fn possible(
        &self,
        clusters: &Clusters,
        at: &Address,
        owned: &Owned,
    ) -> Result<(), Failure> {
        let secrets = at.secrets().objects(clusters).await?;
        let object = self.object(at, None);
        let made = secrets.create(object, &self.name, owned, true).await;
        made.map(|_| ()).map_err(|not_created| not_created.failure)
    }

    /// Creates the Secret as owned by its pod, so that it is deleted with the pod. The pod waits
    /// for the Secret, because it refers to it.
    pub(super) async fn make(
        &self,
        gate: &Gate,
        clusters: &Clusters,
        at: &Address,
        pod: &Value,
        owned: &Owned,
    ) -> Result<(), Failure> {
        let object = self.object(at, Some(pod));
        let bytes = object.to_string().len();
        let secrets = at.secrets();
        let intent = secrets.intent(&object, &self.name, OnExit::Delete, owned);
        let work = async {
            let secrets = secrets.objects(clusters).await;
            let secrets = secrets.map_err(NotCreated::certainly)?;
            secrets.create(object, &self.name, owned, false).await
        };
        // The pod's grant is enough: a Secret that only this pod can use is part of it.
        let call = at.call(gate, functions::CREATE.of(bytes), "create");
        make(call, Some(intent), work).await?;
        Ok(())
    }

    /// Returns the object; as owned by its pod once that exists.
    fn object(&self, at: &Address, pod: Option<&Value>) -> Value {
        let entries = self.entries.iter();
        let data: serde_json::Map<String, Value> = entries
            .map(|(key, text)| (key.clone(), Value::from(text.as_str())))
            .collect();
        let mut object = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": self.kind,
            "metadata": { "name": self.name, "namespace": at.namespace() },
            "stringData": data,
        });
        if let Some(pod) = pod {
            object["metadata"]["ownerReferences"] = json!([{
                "apiVersion": "v1",
                "kind": "Pod",
                "name": pod["metadata"]["name"],
                "uid": pod["metadata"]["uid"],
            }]);
        }
        object
    }
}
