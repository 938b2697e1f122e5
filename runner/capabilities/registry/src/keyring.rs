//! The credentials that a step's calls may use.

use std::sync::Arc;

use sidestep_contract::registry::is_this_machine;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::{Login, Logins, Masks};

use super::docker::Found;
use super::reference::Repository;

/// The credentials that a step gave to a call, in the order in which they are tried, and the masks
/// that get every password before it is used.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    given: Vec<Logins>,
    masks: Option<Arc<Masks>>,
}

impl Keyring {
    /// Reads the documents that a step gave.
    ///
    /// # Errors
    /// `registry.secret-unusable` if one holds no credentials, and the masks' reason if a password
    /// can't be masked.
    pub(super) fn new(documents: &[&str], masks: &Arc<Masks>) -> Result<Self, Failure> {
        let mut given = Vec::with_capacity(documents.len());
        for document in documents {
            let logins = Logins::parse(document).map_err(|why| {
                Failure::new(
                    Class::InvalidInput,
                    codes::registry::SECRET_UNUSABLE,
                    Owner::Author,
                    format!("a secret of the step holds no registry credentials: {why}"),
                )
                .with_help("it must have the format of Docker's configuration file, with `auths`")
            })?;
            for secret in logins.secrets() {
                let what = "a password of the step's registry credentials";
                let known = masks.add(secret);
                known.map_err(|why| why.failure(what, Owner::Author))?;
            }
            given.push(logins);
        }
        Ok(Self {
            given,
            masks: Some(Arc::clone(masks)),
        })
    }

    /// Returns the credentials that the step gave for a repository.
    pub(super) fn given(&self, repository: &Repository) -> Option<&Login> {
        let mut all = self.given.iter();
        all.find_map(|logins| logins.find(&repository.host, &repository.path))
    }

    /// Masks the credentials that were found on this machine.
    pub(super) fn mask(&self, found: &Found) -> Result<(), Failure> {
        let Some(masks) = &self.masks else {
            return Ok(());
        };
        for secret in &found.secrets {
            let known = masks.add(secret);
            known.map_err(|why| why.failure(&found.from, Owner::Operator))?;
        }
        Ok(())
    }

    /// Returns whether a repository is called at its own host, although the operator set one address
    /// in place of all registries: it is on this machine, or the step gave credentials for it.
    /// Google's registries are what that address replaces.
    pub(super) fn is_direct(&self, repository: &Repository) -> bool {
        !repository.is_googles()
            && (is_this_machine(&repository.host) || self.given(repository).is_some())
    }
}
