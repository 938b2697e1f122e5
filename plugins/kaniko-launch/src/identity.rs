//! Whose identity a build has, and how it comes to have its own.

mod facts;
mod landing;
#[cfg(test)]
mod tests;
mod warning;

use std::cell::OnceCell;

use crate::inputs::Inputs;
use crate::repair::{self, Repository};
use crate::shell::Piece;

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
    pub(crate) fn serve(&self) -> Vec<String> {
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
    pub(crate) fn bind(&self) -> Option<String> {
        let account = self.account()?;
        Some(repair::bind(self.inputs, &account, self.pool()?))
    }

    /// The roles of a build, for whoever it is.
    pub(crate) fn roles(&self) -> Vec<String> {
        let member = self.member();
        let images = self.inputs.destinations.iter();
        let images = images.chain(&self.inputs.cache_repo);
        let mut repositories: Vec<Repository> = Vec::new();
        for repository in images.filter_map(Repository::of_image) {
            if !repositories.contains(&repository) {
                repositories.push(repository);
            }
        }
        let mut commands = vec![repair::grant_reader(&member, &self.inputs.context)];
        let writers = repositories.iter();
        commands.extend(writers.map(|repository| repair::grant_writer(&member, repository)));
        commands
    }

    /// The build as a member of policies.
    pub(crate) fn member(&self) -> Vec<Piece> {
        if let Some(key) = &self.inputs.google_key {
            let account = repair::asked_of_key(self.inputs, key, "client_email");
            return vec![Piece::text("serviceAccount:"), account];
        }
        match self.account() {
            Some(account) => vec![Piece::text("serviceAccount:"), account],
            None => self.principal(),
        }
    }

    /// The Google account that the workload acts as; none where it is its own principal.
    pub(crate) fn account(&self) -> Option<Piece> {
        match &self.facts().link {
            Some(Link::Account(address)) => Some(Piece::text(address)),
            Some(Link::Direct) => None,
            None => Some(repair::asked_link(self.inputs)),
        }
    }

    /// The workload itself: `principal://…/subject/ns/NAMESPACE/sa/ACCOUNT`.
    fn principal(&self) -> Vec<Piece> {
        let cluster = &self.inputs.cluster;
        let missing = || Piece::text("");
        vec![
            Piece::text("principal://iam.googleapis.com/projects/"),
            repair::asked_number(cluster).unwrap_or_else(missing),
            Piece::text("/locations/global/workloadIdentityPools/"),
            self.pool().unwrap_or_else(missing),
            Piece::text(format!(
                "/subject/ns/{}/sa/{}",
                self.inputs.namespace, self.inputs.service_account
            )),
        ]
    }

    /// The cluster's workload pool; none of a cluster that only the operator's settings know.
    fn pool(&self) -> Option<Piece> {
        let project = self.inputs.cluster.project()?;
        match &self.facts().cluster {
            Some(facts) => Some(Piece::Text(facts.workload_pool.clone().unwrap_or_else(
                || {
                    // The name that `serve` makes.
                    format!("{project}.svc.id.goog")
                },
            ))),
            None => repair::asked_pool(&self.inputs.cluster),
        }
    }
}
