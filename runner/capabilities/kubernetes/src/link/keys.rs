//! The keys in Secrets.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret as Object;
use kube::Api;
use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_bindings::sidestep::kubernetes::objects as wit;
use sidestep_events::Failure;
use sidestep_gate::functions::kubernetes as functions;
use sidestep_gate::keys::entry_key;
use sidestep_keys::Entry;

use super::super::Clusters;
use super::super::failure::of_error;
use super::super::tries::tried;
use super::address::Address;
use super::invalid;
use crate::Calls;

/// The keys of a Secret, and their secret texts.
type Keys = (Vec<Entry>, Vec<String>);

impl Calls<'_> {
    /// Tells what keys are in Secrets, and masks the keys before the plugin gets an answer.
    pub(super) async fn facts_of(
        &mut self,
        secrets: Vec<wit::ObjectRef>,
    ) -> wasmtime::Result<Vec<Result<Vec<wit::EntryKey>, WitFailure>>> {
        let clusters = self.clusters();
        self.each(clusters, secrets, |gate, clusters, secret| async move {
            let cluster = secret.cluster.clone();
            let namespace = secret.namespace.clone().unwrap_or_default();
            let is_secret = secret.api_version == "v1" && secret.resource == "secrets";
            let wrong = (!is_secret || namespace.is_empty())
                .then(|| invalid("`key-facts` reads Secrets: `v1`, `secrets`, with a namespace"));
            let (at, name) = Address::of(secret);
            let call = at.call(&gate, functions::KEY_FACTS, "keyFacts");
            let work = read(&clusters, &cluster, &namespace, &name);
            let (keys, secrets) = call.and_unless(wrong).run(work).await?;
            gate.mask_keys(functions::KEYS, &secrets).await?;
            Ok(keys.into_iter().map(entry_key).collect())
        })
        .await
    }
}

/// Reads a Secret.
async fn read(
    clusters: &Arc<Clusters>,
    cluster: &str,
    namespace: &str,
    name: &str,
) -> Result<Keys, Failure> {
    let client = clusters.client(cluster).await?;
    let api = Api::<Object>::namespaced(client, namespace);
    let secret = tried(|| api.get(name)).await.map_err(|error| {
        of_error(
            &format!("search Secret {namespace}/{name} for keys"),
            &error,
        )
    })?;
    let (mut keys, mut secrets) = Keys::default();
    for (entry, bytes) in secret.data.unwrap_or_default() {
        let found = sidestep_keys::find(&bytes.0);
        let found_here = found.keys.into_iter().map(|key| Entry {
            entry: entry.clone(),
            key,
        });
        keys.extend(found_here);
        secrets.extend(found.secrets);
    }
    Ok((keys, secrets))
}

#[cfg(test)]
pub(super) mod tests;
