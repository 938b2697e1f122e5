//! Removing what steps made outside, by the journal's intents: whatever the plugin did or did not.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sidestep_capabilities::kubernetes::{Deletion, Objects, Target, made_by};
use sidestep_capabilities::storage::MADE_BY;
use sidestep_engine::{Cleaner, Removal};
use sidestep_events::{Class, Failure, Intent, Place, show};

use crate::cloud::Clients;

/// What a pod's processes have to end, in seconds: nothing that is cleaned up has work to finish.
pub(crate) const GRACE: u32 = 5;
/// How long an object is seen going: a pod's grace, and what its node needs to say so.
const PATIENCE: Duration = Duration::from_secs(15);

/// Removes objects of clusters and of buckets.
#[derive(Debug)]
pub(crate) struct OutsideCleaner {
    pub(crate) clients: Clients,
    /// The run, whose objects these are.
    pub(crate) run: String,
    /// The digest of its plan.
    pub(crate) plan: String,
}

/// An object that was found, and is the run's own.
enum Found {
    InCluster {
        objects: Box<Objects>,
        uid: String,
        is_pod: bool,
    },
    InBucket {
        bucket: String,
        generation: u64,
    },
}

#[async_trait]
impl Cleaner for OutsideCleaner {
    async fn remove(&self, intent: &Intent) -> Result<Removal, Failure> {
        let name = intent.name.exact();
        match self.find(intent).await? {
            None => Ok(Removal::Absent),
            Some(Found::InCluster {
                objects,
                uid,
                is_pod,
            }) => {
                let grace = is_pod.then_some(GRACE);
                let deletion = objects.delete(name, Some(&uid), grace, Some(PATIENCE));
                Ok(match deletion.await? {
                    Deletion::Gone => Removal::Gone,
                    Deletion::Going { object, .. } => Removal::Going(object),
                })
            }
            Some(Found::InBucket { bucket, generation }) => {
                let storage = &self.clients.storage;
                storage.delete(&bucket, name, generation).await?;
                Ok(Removal::Gone)
            }
        }
    }
}

impl OutsideCleaner {
    /// Whether the object is there, and the run's own.
    pub(crate) async fn is_there(&self, intent: &Intent) -> Result<bool, Failure> {
        Ok(self.find(intent).await?.is_some())
    }

    async fn find(&self, intent: &Intent) -> Result<Option<Found>, Failure> {
        match &intent.place {
            Place::Cluster { cluster, namespace } => {
                self.find_in_cluster(intent, cluster, namespace).await
            }
            Place::Bucket { bucket } => self.find_in_bucket(intent, bucket).await,
            Place::Repository { .. } | Place::Project { .. } => Err(Failure::bug(format!(
                "nothing makes a {} there, so nothing can remove {}",
                show::line(&intent.kind),
                show::line(&intent.name)
            ))),
        }
    }

    /// What the run writes into what it makes.
    fn mark(&self, intent: &Intent) -> String {
        let Self { run, plan, .. } = self;
        sidestep_capabilities::made_by(run, &intent.instance, intent.attempt, plan)
    }

    async fn find_in_bucket(
        &self,
        intent: &Intent,
        bucket: &str,
    ) -> Result<Option<Found>, Failure> {
        let stat = self.clients.storage.stat(bucket, intent.name.exact(), None);
        let object = match stat.await {
            Err(failure) if failure.class == Class::NotFound => return Ok(None),
            object => object?,
        };
        let by = object.metadata.get(MADE_BY).map(String::as_str);
        Ok((by == Some(&*self.mark(intent))).then(|| Found::InBucket {
            bucket: bucket.to_owned(),
            generation: object.generation,
        }))
    }

    async fn find_in_cluster(
        &self,
        intent: &Intent,
        cluster: &str,
        namespace: &str,
    ) -> Result<Option<Found>, Failure> {
        let target = Target::of_journal(intent.kind.exact(), namespace);
        let is_pod = target.policy_resource() == "pods";
        let client = self.clients.clusters.client(cluster).await?;
        let objects = Box::new(Objects::new(client, target));
        let Some(object) = look(&objects, intent.name.exact()).await? else {
            return Ok(None);
        };
        let ours = self.mark(intent);
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
        Ok(
            (made_by(&object) == Some(ours.as_str())).then(|| Found::InCluster {
                objects,
                uid: uid.to_owned(),
                is_pod,
            }),
        )
    }
}

/// Looks at an object, if need be with the right to delete it alone.
async fn look(objects: &Objects, name: &str) -> Result<Option<Value>, Failure> {
    match objects.find(name).await {
        Err(denied) if denied.class == Class::Denied => objects.find_by_deletion(name).await,
        found => found,
    }
}
