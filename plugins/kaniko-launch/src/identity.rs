//! The identity that a build has, and the commands that give it its own.

mod facts;
mod landing;
#[cfg(test)]
mod tests;
mod warning;

use std::cell::OnceCell;

use sidestep::google::{Member, Repository, let_act_as};
use sidestep::{Command, Value, kubectl};
use sidestep_pod::serve_identities;

use crate::inputs::Inputs;
use crate::repair::{self, KeyField};

pub(crate) use facts::{Facts, Link};

/// The identity of a build, with the facts about it, which are asked for once and when needed.
#[derive(Debug)]
pub(crate) struct Identity<'a> {
    inputs: &'a Inputs,
    facts: OnceCell<Facts>,
}

impl<'a> Identity<'a> {
    /// Returns an identity of which no facts are known yet.
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

    /// Returns the commands that make the nodes serve workload identities, if they don't.
    pub(crate) fn serve(&self) -> Vec<Command> {
        let cluster = &self.inputs.cluster;
        let Some(facts) = &self.facts().cluster else {
            // A key says nothing about the nodes.
            return match self.inputs.google_key {
                Some(_) => Vec::new(),
                None => serve_identities(cluster, &[]),
            };
        };
        let mut commands = Vec::new();
        if facts.workload_pool.is_none() {
            commands.extend(cluster.gke().and_then(|cluster| cluster.make_pool()));
        }
        let pools: Vec<&str> = self.unserved().iter().map(|pool| &*pool.name).collect();
        if !pools.is_empty() {
            commands.extend(serve_identities(cluster, &pools));
        }
        commands
    }

    /// Returns the command that lets the workload act as the account that it is linked to.
    pub(crate) fn bind(&self) -> Option<Command> {
        let account = self.account()?;
        let_act_as(account, &self.workload())
    }

    /// Returns the workload as a member of its Google account's policy.
    pub(crate) fn workload(&self) -> Member {
        let Inputs {
            namespace,
            service_account,
            ..
        } = self.inputs;
        Member::workload(self.pool(), namespace, service_account)
    }

    /// Returns what is wrong with the annotation's text, and the command that corrects it if it is
    /// clear which account is meant.
    pub(crate) fn misspelt(&self) -> Option<(String, Option<Command>)> {
        let Some(Link::Misspelt(text, misspelt)) = &self.facts().link else {
            return None;
        };
        let Inputs {
            namespace,
            service_account,
            ..
        } = self.inputs;
        let why = format!(
            "{} is annotated with `{text}`, which is {}",
            self.inputs.workload(),
            misspelt.what
        );
        let meant = misspelt.meant.as_ref();
        let annotate =
            meant.and_then(|it| kubectl::annotate(namespace, service_account, it.address()));
        Some((why, annotate))
    }

    /// Returns the commands that grant a build's roles to its identity.
    pub(crate) fn roles(&self) -> Vec<Command> {
        let Some(member) = self.member() else {
            return Vec::new();
        };
        let images = self.inputs.destinations.iter();
        let images = images.chain(&self.inputs.cache_repo);
        let mut repositories: Vec<Repository> = Vec::new();
        for repository in images.filter_map(|image| Repository::of_image(image.repository())) {
            if !repositories.contains(&repository) {
                repositories.push(repository);
            }
        }
        let reader = repair::grant_reader(&member, &self.inputs.context);
        let writers = repositories.into_iter();
        let writers = writers.filter_map(|repository| repair::grant_writer(&member, repository));
        reader.into_iter().chain(writers).collect()
    }

    /// Returns the build as a member of policies, or none if its annotation names no account. On a
    /// cluster that only the operator's settings know, no command can name a workload that acts as
    /// itself.
    pub(crate) fn member(&self) -> Option<Member> {
        if let Some(key) = &self.inputs.google_key {
            let address = repair::asked_of_key(self.inputs, key, KeyField::ClientEmail);
            return Some(Member::account(address));
        }
        match &self.facts().link {
            Some(Link::Account(account)) => Some(Member::account(account.address())),
            Some(Link::Direct) => Some(self.principal()),
            Some(Link::Misspelt(..)) => None,
            None => Some(Member::account(repair::asked_link(self.inputs))),
        }
    }

    /// Returns the build as a member, if a refusal can be about it. `named` is the principal in the
    /// refusal: others wrote this text, so a grant is only ever for the build itself.
    pub(crate) fn refused(&self, named: &str) -> Option<Member> {
        let own = self.member()?;
        let is_other = match (own.text(), Member::of_caller(named)) {
            (Some(own), Some(named)) => named.text() != Some(own),
            _ => false,
        };
        (!is_other).then_some(own)
    }

    /// Returns the Google account that the workload acts as; none if it is its own principal, or if
    /// its annotation names no account.
    pub(crate) fn account(&self) -> Option<Value> {
        match &self.facts().link {
            Some(Link::Account(account)) => Some(account.address().into()),
            Some(Link::Direct | Link::Misspelt(..)) => None,
            None => Some(repair::asked_link(self.inputs)),
        }
    }

    /// Returns the workload itself as a member.
    fn principal(&self) -> Member {
        let Inputs {
            namespace,
            service_account,
            ..
        } = self.inputs;
        let number = repair::asked_number(&self.inputs.cluster);
        Member::principal(number, self.pool(), namespace, service_account)
    }

    /// Returns the cluster's workload pool, which is unknown for a cluster that only the operator's
    /// settings know.
    fn pool(&self) -> Value {
        let cluster = &self.inputs.cluster;
        match &self.facts().cluster {
            Some(facts) => match &facts.workload_pool {
                Some(pool) => pool.into(),
                // The name that `serve` makes.
                None => cluster
                    .gke()
                    .and_then(|cluster| cluster.pool_to_be())
                    .into(),
            },
            None => repair::asked_pool(cluster).into(),
        }
    }
}
