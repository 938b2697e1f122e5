//! Whose identity a build has, and how it comes to have its own.

mod facts;
mod landing;
#[cfg(test)]
mod tests;
mod warning;

use std::cell::OnceCell;

use sidestep::{Command, Value};

use crate::inputs::Inputs;
use crate::repair::{self, KeyField, Repository};

pub(crate) use facts::{Facts, Link};

/// The identity of a build, with the facts about it, which are asked for once and when needed.
#[derive(Debug)]
pub(crate) struct Identity<'a> {
    inputs: &'a Inputs,
    facts: OnceCell<Facts>,
}

impl<'a> Identity<'a> {
    /// Nothing is known yet.
    pub(crate) fn new(inputs: &'a Inputs) -> Self {
        Self {
            inputs,
            facts: OnceCell::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn known(inputs: &'a Inputs, facts: Facts) -> Self {
        Self {
            inputs,
            facts: facts.into(),
        }
    }

    fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| Facts::ask(self.inputs))
    }

    /// Lets the nodes serve workload identities, as far as they don't.
    pub(crate) fn serve(&self) -> Vec<Command> {
        let cluster = &self.inputs.cluster;
        let Some(facts) = &self.facts().cluster else {
            // A key says nothing about the nodes.
            return match self.inputs.google_key {
                Some(_) => Vec::new(),
                None => repair::serve_identities(cluster, &[]),
            };
        };
        let mut commands = Vec::new();
        if facts.workload_pool.is_none() {
            commands.extend(repair::make_pool(cluster));
        }
        let pools: Vec<&str> = self.unserved().iter().map(|pool| &*pool.name).collect();
        if !pools.is_empty() {
            commands.extend(repair::serve_identities(cluster, &pools));
        }
        commands
    }

    /// Lets the workload act as the account that it is linked to.
    pub(crate) fn bind(&self) -> Option<Command> {
        let account = self.account()?;
        repair::bind(self.inputs, &account, self.pool())
    }

    /// The roles of a build, for whoever it is.
    pub(crate) fn roles(&self) -> Vec<Command> {
        let member = self.member();
        let images = self.inputs.destinations.iter();
        let images = images.chain(&self.inputs.cache_repo);
        let mut repositories: Vec<Repository> = Vec::new();
        for repository in images.filter_map(Repository::of_image) {
            if !repositories.contains(&repository) {
                repositories.push(repository);
            }
        }
        let reader = repair::grant_reader(&member, &self.inputs.context);
        let writers = repositories.iter();
        let writers = writers.filter_map(|repository| repair::grant_writer(&member, repository));
        reader.into_iter().chain(writers).collect()
    }

    /// The build as a member of policies. It is not known on a cluster that only the operator's
    /// settings know, for a workload that acts as itself.
    pub(crate) fn member(&self) -> Value {
        let account = match &self.inputs.google_key {
            Some(key) => Some(repair::asked_of_key(
                self.inputs,
                key,
                KeyField::ClientEmail,
            )),
            None => self.account(),
        };
        match account {
            Some(account) => Value::joined(["serviceAccount:".into(), account]),
            None => self.principal(),
        }
    }

    /// The Google account that the workload acts as; none where it is its own principal.
    pub(crate) fn account(&self) -> Option<Value> {
        match &self.facts().link {
            Some(Link::Account(address)) => Some(address.into()),
            Some(Link::Direct) => None,
            None => Some(repair::asked_link(self.inputs)),
        }
    }

    /// The workload itself: `principal://…/subject/ns/NAMESPACE/sa/ACCOUNT`.
    fn principal(&self) -> Value {
        Value::joined([
            "principal://iam.googleapis.com/projects/".into(),
            repair::asked_number(&self.inputs.cluster).into(),
            "/locations/global/workloadIdentityPools/".into(),
            self.pool(),
            "/subject/ns/".into(),
            Value::from(&self.inputs.namespace),
            "/sa/".into(),
            Value::from(&self.inputs.service_account),
        ])
    }

    /// The cluster's workload pool; not known of a cluster that only the operator's settings know.
    fn pool(&self) -> Value {
        let cluster = &self.inputs.cluster;
        match &self.facts().cluster {
            Some(facts) => match &facts.workload_pool {
                Some(pool) => pool.into(),
                // The name that `serve` makes.
                None => Value::joined([cluster.project().into(), Value::from(".svc.id.goog")]),
            },
            None => repair::asked_pool(cluster).into(),
        }
    }
}
