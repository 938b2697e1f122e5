//! Removing what steps made outside, by the journal's intents: whatever the plugin did or did not.

use std::time::Duration;

use async_trait::async_trait;
use sidestep_capabilities::kubernetes::{Objects, Target, made_by};
use sidestep_capabilities::storage::MADE_BY;
use sidestep_engine::Cleaner;
use sidestep_events::{Class, Failure, Intent, Place, show};

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

/// An object that was found, and is the run's own.
enum Found {
    InCluster {
        objects: Box<Objects>,
        uid: Option<String>,
    },
    InBucket {
        bucket: String,
        generation: u64,
    },
}

#[async_trait]
impl Cleaner for OutsideCleaner {
    async fn remove(&self, intent: &Intent) -> Result<bool, Failure> {
        let name = intent.name.exact();
        match self.find(intent).await? {
            None => return Ok(false),
            Some(Found::InCluster { objects, uid }) => {
                let uid = uid.as_deref();
                objects.delete(name, uid, None, Some(PATIENCE)).await?;
            }
            Some(Found::InBucket { bucket, generation }) => {
                let storage = &self.clients.storage;
                storage.delete(&bucket, name, generation).await?;
            }
        }
        Ok(true)
    }
}

impl OutsideCleaner {
    /// Whether the object is there, and the run's own.
    pub(crate) async fn is_there(&self, intent: &Intent) -> Result<bool, Failure> {
        Ok(self.find(intent).await?.is_some())
    }

    async fn find(&self, intent: &Intent) -> Result<Option<Found>, Failure> {
        let found = match &intent.place {
            Place::Cluster { cluster, namespace } => {
                self.find_in_cluster(intent, cluster, namespace).await
            }
            Place::Bucket { bucket } => {
                let stat = self.clients.storage.stat(bucket, intent.name.exact(), None);
                stat.await.map(|object| {
                    let by = object.metadata.get(MADE_BY).map(String::as_str);
                    (by == Some(&*self.mark(intent))).then(|| Found::InBucket {
                        bucket: bucket.clone(),
                        generation: object.generation,
                    })
                })
            }
            Place::Repository { .. } | Place::Project { .. } => Err(Failure::bug(format!(
                "nothing makes a {} there, so nothing can remove {}",
                show::line(&intent.kind),
                show::line(&intent.name)
            ))),
        };
        match found {
            Err(failure) if failure.class == Class::NotFound => Ok(None),
            found => found,
        }
    }

    /// What the run writes into what it makes.
    fn mark(&self, intent: &Intent) -> String {
        format!("{}/{}/{}", self.run, intent.instance, intent.attempt)
    }

    async fn find_in_cluster(
        &self,
        intent: &Intent,
        cluster: &str,
        namespace: &str,
    ) -> Result<Option<Found>, Failure> {
        let target = Target {
            api_version: "v1".to_owned(),
            // Steps make pods and the Secrets that those own.
            resource: format!("{}s", intent.kind.exact()),
            namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
        };
        let client = self.clients.clusters.client(cluster).await?;
        let objects = Box::new(Objects::new(client, target));
        let object = objects.get(intent.name.exact()).await?;
        let ours = self.mark(intent);
        let uid = object["metadata"]["uid"].as_str().map(str::to_owned);
        Ok((made_by(&object) == Some(ours.as_str())).then_some(Found::InCluster { objects, uid }))
    }
}
