//! Deletes objects, and waits until they are gone.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, DynamicObject, Preconditions};
use kube::runtime::wait::{self, await_condition, conditions};
use serde_json::Value;
use sidestep_events::{Class, Command, Failure, Going, Owner, codes};

use super::failure::refused;
use super::objects::{Objects, is_absent};
use super::tries::tried;

/// The pause before a lost watch is restarted, and between two polls without a watch.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// The result of deleting an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Deletion {
    /// It is gone, or did not exist; another object of its name may exist.
    Gone,
    /// The deletion was accepted, but the object still existed when it was last read.
    Going {
        /// The object, and the time when it will be gone.
        object: Going,
        /// The reason why the deletion cannot be observed.
        unseen: Option<Box<Failure>>,
    },
}

impl Objects {
    /// Deletes an object with its dependents, if it has this uid, and waits at most `wait` until it is
    /// gone. Another object of its name is not touched.
    pub async fn delete(
        &self,
        name: &str,
        uid: Option<&str>,
        grace: Option<u32>,
        wait: Option<Duration>,
    ) -> Result<Deletion, Failure> {
        let parameters = DeleteParams {
            grace_period_seconds: grace,
            preconditions: uid.map(|uid| Preconditions {
                uid: Some(uid.to_owned()),
                resource_version: None,
            }),
            // Without it, the API server keeps the pods of a Job or of a ReplicationController.
            ..DeleteParams::background()
        };
        let going = match tried(|| self.api.delete(name, &parameters)).await {
            Ok(going) => going,
            Err(kube::Error::Api(status)) if is_absent(&status, name) => return Ok(Deletion::Gone),
            // The precondition failed: it is another object.
            Err(kube::Error::Api(status)) if status.code == 409 && uid.is_some() => {
                return Ok(Deletion::Gone);
            }
            Err(error) => return Err(self.failure("delete", name, &error)),
        };
        let object = going.left();
        let until = object.as_ref().and_then(until);
        let Some(uid) = object
            .and_then(|object| object.uid())
            .or(uid.map(str::to_owned))
        else {
            return Ok(Deletion::Gone);
        };
        let seen = match wait {
            None => Ok(false),
            Some(wait) => self.goes(name, &uid, wait).await,
        };
        if seen == Ok(true) {
            return Ok(Deletion::Gone);
        }
        let uid = uid.into();
        Ok(Deletion::Going {
            object: Going { uid, until },
            unseen: seen.err().map(Box::new),
        })
    }

    /// Returns the object, or `None` if there is none of that name, from the answer to a dry-run
    /// deletion. For callers that may delete it but not get it.
    pub async fn find_by_deletion(&self, name: &str) -> Result<Option<Value>, Failure> {
        let parameters = DeleteParams {
            dry_run: true,
            ..DeleteParams::default()
        };
        match tried(|| self.api.delete(name, &parameters)).await {
            Ok(answer) => match answer.left() {
                Some(object) => self.shown(&object).map(Some),
                // For most kinds the answer is a `Status`, which does not show the object's owner.
                None => Err(self.unknown_owner(name)),
            },
            Err(kube::Error::Api(status)) if is_absent(&status, name) => Ok(None),
            Err(error) => Err(self.failure("delete", name, &error)),
        }
    }

    fn unknown_owner(&self, name: &str) -> Failure {
        let named = self.named(name);
        Failure::new(
            Class::Denied,
            codes::kubernetes::FORBIDDEN,
            Owner::Cluster,
            format!("cannot get {named} to check its owner, so it is not deleted"),
        )
        .with_help("a cluster administrator can grant `get`; this prints the Roles:")
        .with_help(Command::fixed(&["sidestep", "plan", "--rbac"]))
    }

    /// Returns whether the object of that uid is gone within the time.
    async fn goes(&self, name: &str, uid: &str, wait: Duration) -> Result<bool, Failure> {
        let gone = async {
            let watched = self.watched(name, uid).await;
            match watched {
                Err(failure) if failure.class == Class::Denied => self.polled(name, uid).await,
                watched => watched,
            }
        };
        let gone = tokio::time::timeout(wait, gone).await;
        gone.map_or(Ok(false), |gone| gone.map(|()| true))
    }

    /// Waits until the object of that uid is gone, and restarts a lost watch any number of times.
    async fn watched(&self, name: &str, uid: &str) -> Result<(), Failure> {
        loop {
            let gone = conditions::is_deleted(uid);
            let Err(error) = await_condition(self.api.clone(), name, gone).await else {
                return Ok(());
            };
            if let wait::Error::ProbeFailed(error) = &error
                && let Some(refused) = refused(error)
            {
                let what = format!("wait for the deletion of {}", self.named(name));
                return Err(refused.failure(&what));
            }
            tracing::debug!(%error, name, "waiting for an object to go: the watch was lost");
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Polls until the object of that uid is gone: for callers without permission to watch.
    async fn polled(&self, name: &str, uid: &str) -> Result<(), Failure> {
        loop {
            match self.find(name).await {
                Ok(Some(object)) if object["metadata"]["uid"] == uid => {}
                Ok(_) => return Ok(()),
                Err(failure) if failure.class == Class::Denied => return Err(failure),
                Err(error) => tracing::debug!(?error, name, "waiting for an object to go"),
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Returns the failure when the object still exists after the wait.
    pub(super) fn slow(&self, name: &str, wait: Duration) -> Failure {
        Failure::new(
            Class::TimedOut,
            codes::kubernetes::DELETE_SLOW,
            Owner::Cluster,
            format!(
                "{} was deleted but still exists after {} s",
                self.named(name),
                wait.as_secs()
            ),
        )
    }
}

/// Returns the end of the grace period, which is `deletionTimestamp`.
fn until(object: &DynamicObject) -> Option<Timestamp> {
    object
        .metadata
        .deletion_timestamp
        .as_ref()
        .map(|time| time.0)
}
