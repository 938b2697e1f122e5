//! One proof: the links in order, up to the first that breaks, and then the targets.

use futures::StreamExt as _;
use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_events::{Class, Failure};
use sidestep_gate::{Held, Masks, Secret, debug_length};
use sidestep_google::Credentials;

use super::target::{Address, Outcome};
use super::workload::Workload;
use super::{Identity, failure};

/// The maximum number of targets of one subject that are queried concurrently.
const TARGETS_AT_A_TIME: usize = 4;

/// The result of a proof.
#[derive(Debug, Default)]
pub(super) struct Proof {
    pub(super) principal: Option<String>,
    pub(super) links: Vec<(wit::Link, Option<Failure>)>,
    pub(super) targets: Vec<Outcome>,
}

impl Held for Proof {
    fn held(&self) -> u64 {
        debug_length(self)
    }
}

impl Proof {
    /// Returns whether a link broke, or a target does not grant all requested permissions.
    pub(super) fn is_broken(&self, subject: &wit::Subject) -> bool {
        self.links.iter().any(|(_, failure)| failure.is_some())
            || self
                .targets
                .iter()
                .zip(&subject.targets)
                .any(|(found, asked)| found.granted.len() < asked.permissions.len())
    }

    /// Returns the proof with failures that hold none of its tokens.
    fn masked(mut self, masks: &Masks) -> Self {
        for (_, failure) in &mut self.links {
            *failure = failure.take().map(|failure| masks.failure(failure));
        }
        for target in &mut self.targets {
            target.failure = target.failure.take().map(|failure| masks.failure(failure));
            let object = target.object.take();
            target.object = object.map(|read| read.map_err(|failure| masks.failure(failure)));
        }
        self
    }

    /// Records the result of a link; returns the token if the link holds.
    fn note(&mut self, link: wit::Link, result: Result<Secret, Failure>) -> Option<Secret> {
        let name = match link {
            wit::Link::TokenRequest => "token-request",
            wit::Link::Exchange => "exchange",
            wit::Link::Impersonate => "impersonate",
        };
        match result {
            Ok(token) => {
                self.links.push((link, None));
                Some(token)
            }
            Err(failure) => {
                self.links
                    .push((link, Some(failure.with_detail("link", name))));
                None
            }
        }
    }
}

impl Identity {
    /// Proves one identity. `may_read` returns whether the step may read a target with the runner's
    /// own credentials, to find out whether the target exists.
    ///
    /// # Errors
    /// When nothing could be tried, because the subject is invalid. A broken link is part of the
    /// proof.
    pub(super) async fn prove(
        &self,
        subject: &wit::Subject,
        may_read: impl Fn(&Address<'_>) -> bool,
    ) -> Result<Proof, Failure> {
        failure::check(subject)?;
        // Not the run's masks: those are limited, and keep each secret to the end of the run, while
        // a step may prove identities again and again.
        let masks = Masks::new();
        let workload = Workload {
            identity: self,
            subject,
            masks: &masks,
        };
        let proof = self.through(&workload, may_read).await?;
        Ok(proof.masked(&masks))
    }

    /// Goes through the links of a proof, and queries its targets. A failure of the proof may hold
    /// tokens.
    async fn through(
        &self,
        workload: &Workload<'_>,
        may_read: impl Fn(&Address<'_>) -> bool,
    ) -> Result<Proof, Failure> {
        let subject = workload.subject;
        let mut proof = Proof::default();
        let issued = match self.clusters.tokens(&subject.cluster).await {
            Ok(cluster) => workload.token_request(cluster).await,
            Err(failure) if failure.class == Class::InvalidInput => return Err(failure),
            Err(failure) => Err(failure),
        };
        let Some(issued) = proof.note(wit::Link::TokenRequest, issued) else {
            return Ok(proof);
        };
        let exchanged = workload.exchange(&issued).await;
        drop(issued);
        let Some(mut token) = proof.note(wit::Link::Exchange, exchanged) else {
            return Ok(proof);
        };
        if let Some(account) = &subject.impersonate {
            let impersonated = workload.impersonate(&token, account).await;
            let Some(impersonated) = proof.note(wit::Link::Impersonate, impersonated) else {
                return Ok(proof);
            };
            token = impersonated;
            proof.principal = Some(account.clone());
        } else {
            proof.principal = workload.principal().await;
        }
        proof.targets = self.targets(&token, &subject.targets, may_read).await;
        Ok(proof)
    }

    async fn targets(
        &self,
        token: &Secret,
        targets: &[wit::Target],
        may_read: impl Fn(&Address<'_>) -> bool,
    ) -> Vec<Outcome> {
        let workload = self.google_as(Credentials::token(token));
        // Collected, so that nothing borrows `may_read` while the targets are queried.
        let work: Vec<_> = targets
            .iter()
            .map(|target| {
                let workload = &workload;
                let address = Address::of(&target.resource);
                let runner = address
                    .as_ref()
                    .is_ok_and(&may_read)
                    .then_some(&self.google);
                async move {
                    let address = match address {
                        Ok(address) => address,
                        Err(failure) => {
                            return Outcome {
                                failure: Some(failure),
                                ..Outcome::default()
                            };
                        }
                    };
                    let mut found = address.ask(workload, runner, &target.permissions).await;
                    if let (Some(object), None) = (&target.object, &found.failure) {
                        found.object = Some(address.read_object(workload, object).await);
                    }
                    found
                }
            })
            .collect();
        futures::stream::iter(work)
            .buffered(TARGETS_AT_A_TIME)
            .collect()
            .await
    }
}
