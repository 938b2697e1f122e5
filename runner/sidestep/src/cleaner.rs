//! Removing what steps made outside, by the journal's intents: whatever the plugin did or did not.

use std::time::Duration;

use async_trait::async_trait;
use sidestep_capabilities::kubernetes::{Objects, Target, made_by};
use sidestep_engine::Cleaner;
use sidestep_events::{Class, Failure, Intent, Place};

use crate::cloud::Clients;

/// How long an object's processes may take to end.
const PATIENCE: Duration = Duration::from_secs(25);

/// Removes objects of clusters and of buckets.
#[derive(Debug)]
pub(crate) struct OutsideCleaner {
    pub(crate) clients: Clients,
    /// The run, whose objects these are.
    pub(crate) run: String,
}

#[async_trait]
impl Cleaner for OutsideCleaner {
    async fn remove(&self, intent: &Intent) -> Result<bool, Failure> {
        match &intent.place {
            Place::Cluster { cluster, namespace } => {
                self.remove_from_cluster(intent, cluster, namespace).await
            }
            Place::Bucket { bucket } => self.remove_from_bucket(intent, bucket).await,
            Place::Repository { .. } | Place::Project { .. } => Err(Failure::bug(format!(
                "nothing makes a {} there, so nothing can remove {}",
                intent.kind, intent.name
            ))),
        }
    }
}

impl OutsideCleaner {
    async fn remove_from_cluster(
        &self,
        intent: &Intent,
        cluster: &str,
        namespace: &str,
    ) -> Result<bool, Failure> {
        let target = Target {
            api_version: "v1".to_owned(),
            // Steps make pods and the Secrets that those own.
            resource: format!("{}s", intent.kind),
            namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
        };
        let client = self.clients.clusters.client(cluster).await?;
        let objects = Objects::new(client, target);
        let object = match objects.get(&intent.name).await {
            Ok(object) => object,
            Err(failure) if failure.class == Class::NotFound => return Ok(false),
            Err(failure) => return Err(failure),
        };
        let ours = format!("{}/{}/{}", self.run, intent.instance, intent.attempt);
        if made_by(&object) != Some(ours.as_str()) {
            return Ok(false);
        }
        let uid = object["metadata"]["uid"].as_str();
        objects
            .delete(&intent.name, uid, None, Some(PATIENCE))
            .await?;
        Ok(true)
    }

    async fn remove_from_bucket(&self, intent: &Intent, bucket: &str) -> Result<bool, Failure> {
        let storage = &self.clients.storage;
        let object = match storage.stat(bucket, &intent.name, None).await {
            Ok(object) => object,
            Err(failure) if failure.class == Class::NotFound => return Ok(false),
            Err(failure) => return Err(failure),
        };
        storage
            .delete(bucket, &intent.name, object.generation)
            .await?;
        Ok(true)
    }
}
