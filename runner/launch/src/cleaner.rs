//! Removes the external objects of steps, by the journal's intents, independently of the plugin.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sidestep_capabilities::kubernetes::{Deletion, Objects, Target, made_by};
use sidestep_capabilities::storage::MADE_BY;
use sidestep_engine::{Cleaner, Removal};
use sidestep_events::{Class, Failure, Header, Intent, Location, show};

use crate::cloud::Clients;

/// The grace period of a deleted pod in seconds. It is short, since the pod's work no longer
/// counts.
pub(crate) const GRACE: u32 = 5;
/// The maximum time to wait for a deletion: a pod's grace period, plus the time its node needs to
/// report it.
const PATIENCE: Duration = Duration::from_secs(15);

/// Removes objects of clusters and buckets.
#[derive(Debug)]
pub(crate) struct OutsideCleaner {
    clients: Clients,
    /// The id of the run that owns the objects.
    run: String,
    /// The digest of the plan that the run was started with.
    plan: String,
}

/// An existing object that belongs to the run.
enum OwnObject {
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
            Some(OwnObject::InCluster {
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
            Some(OwnObject::InBucket { bucket, generation }) => {
                let storage = &self.clients.storage;
                storage.delete(&bucket, name, generation).await?;
                Ok(Removal::Gone)
            }
        }
    }
}

impl OutsideCleaner {
    /// Creates a cleaner for the objects of the run whose journal has this header. The header
    /// decides which objects are the run's own, in every process that works on the run.
    pub(crate) fn new(clients: &Clients, header: &Header) -> Self {
        Self {
            clients: clients.clone(),
            run: header.run.clone(),
            plan: header.plan_digest.clone(),
        }
    }

    /// Returns whether the object exists and belongs to the run.
    pub(crate) async fn is_there(&self, intent: &Intent) -> Result<bool, Failure> {
        Ok(self.find(intent).await?.is_some())
    }

    async fn find(&self, intent: &Intent) -> Result<Option<OwnObject>, Failure> {
        match &intent.location {
            Location::Cluster { cluster, namespace } => {
                self.find_in_cluster(intent, cluster, namespace).await
            }
            Location::Bucket { bucket } => self.find_in_bucket(intent, bucket).await,
            Location::Repository { .. } | Location::Project { .. } => Err(Failure::bug(format!(
                "the runner creates no {} there, so it can't remove {}",
                show::line(&intent.kind),
                show::line(&intent.name)
            ))),
        }
    }

    /// Returns the mark that the run writes into its objects.
    fn mark(&self, intent: &Intent) -> String {
        let Self { run, plan, .. } = self;
        sidestep_capabilities::made_by(run, &intent.instance, intent.attempt, plan)
    }

    async fn find_in_bucket(
        &self,
        intent: &Intent,
        bucket: &str,
    ) -> Result<Option<OwnObject>, Failure> {
        let stat = self.clients.storage.stat(bucket, intent.name.exact(), None);
        let object = match stat.await {
            Err(failure) if failure.class == Class::NotFound => return Ok(None),
            object => object?,
        };
        let by = object.metadata.get(MADE_BY).map(String::as_str);
        Ok(
            (by == Some(&*self.mark(intent))).then(|| OwnObject::InBucket {
                bucket: bucket.to_owned(),
                generation: object.generation,
            }),
        )
    }

    async fn find_in_cluster(
        &self,
        intent: &Intent,
        cluster: &str,
        namespace: &str,
    ) -> Result<Option<OwnObject>, Failure> {
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
            (made_by(&object) == Some(ours.as_str())).then(|| OwnObject::InCluster {
                objects,
                uid: uid.to_owned(),
                is_pod,
            }),
        )
    }
}

/// Reads an object, even if only the permission to delete it is granted.
async fn look(objects: &Objects, name: &str) -> Result<Option<Value>, Failure> {
    match objects.find(name).await {
        Err(denied) if denied.class == Class::Denied => objects.find_by_deletion(name).await,
        found => found,
    }
}
