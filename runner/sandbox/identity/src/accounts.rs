//! Service accounts and projects.

use crate::identity::Identity;
use crate::policy::Policy;
use crate::state::{Account, Project, State};

/// The reason why a service account could not be created, changed or undeleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The address is in use.
    #[error("Service account {0} already exists within project.")]
    Exists(String),
    /// The account does not exist.
    #[error("Unknown service account")]
    Missing,
}

impl State {
    /// Returns the current account of an address or unique id.
    pub(crate) fn live_account(&self, email_or_id: &str) -> Option<&Account> {
        self.accounts
            .get(email_or_id)
            .or_else(|| {
                self.accounts
                    .values()
                    .find(|a| a.email == email_or_id && !a.deleted)
            })
            .filter(|a| !a.deleted)
    }

    /// Returns the etag of the next policy write.
    pub(crate) fn next_etag(&mut self) -> String {
        use base64::Engine as _;
        self.policy_writes += 1;
        let mut bytes = [0_u8; 8];
        bytes[0] = 0x07;
        bytes[1..].copy_from_slice(&self.policy_writes.to_be_bytes()[1..]);
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    /// Rewrites a member in all policies, as IAM does when an account is deleted or undeleted.
    fn rename_member(&mut self, from: &str, to: &str) {
        let touched: Vec<String> = self
            .policies
            .iter()
            .filter(|(_, p)| {
                p.bindings
                    .iter()
                    .any(|b| b.members.iter().any(|m| m == from))
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in touched {
            let etag = self.next_etag();
            let Some(policy) = self.policies.get_mut(&key) else {
                continue;
            };
            policy.etag = etag;
            for member in policy.bindings.iter_mut().flat_map(|b| &mut b.members) {
                if member == from {
                    to.clone_into(member);
                }
            }
        }
    }
}

impl Identity {
    /// Returns a project and its id, by id or number.
    pub fn project(&self, id_or_number: &str) -> Option<(String, Project)> {
        self.read(|state| {
            state
                .projects
                .iter()
                .find(|(id, p)| *id == id_or_number || p.number == id_or_number)
                .map(|(id, p)| (id.clone(), p.clone()))
        })
    }

    /// Returns all projects by id.
    pub fn projects(&self) -> Vec<(String, Project)> {
        self.read(|state| {
            state
                .projects
                .iter()
                .map(|(i, p)| (i.clone(), p.clone()))
                .collect()
        })
    }

    /// Returns a service account that is not deleted, by address or unique id.
    pub fn account(&self, email_or_id: &str) -> Option<Account> {
        self.read(|state| state.live_account(email_or_id).cloned())
    }

    /// Returns the deleted account with this unique id.
    pub fn deleted_account(&self, unique_id: &str) -> Option<Account> {
        self.read(|state| {
            let found = state.accounts.get(unique_id);
            found.filter(|account| account.deleted).cloned()
        })
    }

    /// Returns a project's service accounts that are not deleted, sorted by address.
    pub fn accounts(&self, project: &str) -> Vec<Account> {
        let mut found: Vec<Account> = self.read(|state| {
            let mine = |a: &&Account| a.project == project && !a.deleted;
            state.accounts.values().filter(mine).cloned().collect()
        });
        found.sort_by(|a, b| a.email.cmp(&b.email));
        found
    }

    /// Creates a service account and chooses its unique id. Returns [`AccountError::Exists`] if the
    /// address is in use.
    pub fn create_account(&self, mut account: Account) -> Result<Account, AccountError> {
        self.write(|state| {
            if state.live_account(&account.email).is_some() {
                return Err(AccountError::Exists(account.email));
            }
            account.unique_id = unique_id();
            state
                .accounts
                .insert(account.unique_id.clone(), account.clone());
            state.newcomers.add(&account.email);
            Ok(account)
        })
    }

    /// Changes a service account's names or its `disabled` field, but not its identity.
    pub fn update_account(
        &self,
        email_or_id: &str,
        change: impl FnOnce(&mut Account),
    ) -> Result<Account, AccountError> {
        self.write(|state| {
            let id = state.live_account(email_or_id).map(|a| a.unique_id.clone());
            let account = id
                .and_then(|id| state.accounts.get_mut(&id))
                .ok_or(AccountError::Missing)?;
            let mut changed = account.clone();
            change(&mut changed);
            account.display_name = changed.display_name;
            account.description = changed.description;
            account.disabled = changed.disabled;
            Ok(account.clone())
        })
    }

    /// Deletes a service account. Policies keep its members, as `deleted:…?uid=…`.
    pub fn delete_account(&self, email_or_id: &str) -> Result<(), AccountError> {
        self.write(|state| {
            let account = state
                .live_account(email_or_id)
                .cloned()
                .ok_or(AccountError::Missing)?;
            state.rename_member(&active_member(&account), &deleted_member(&account));
            if let Some(account) = state.accounts.get_mut(&account.unique_id) {
                account.deleted = true;
            }
            Ok(())
        })
    }

    /// Restores a deleted service account by its unique id.
    pub fn undelete_account(&self, unique_id: &str) -> Result<Account, AccountError> {
        self.write(|state| {
            let account = state
                .accounts
                .get(unique_id)
                .filter(|a| a.deleted)
                .cloned()
                .ok_or(AccountError::Missing)?;
            if state.live_account(&account.email).is_some() {
                return Err(AccountError::Exists(account.email));
            }
            state.rename_member(&deleted_member(&account), &active_member(&account));
            let revived = Account {
                deleted: false,
                ..account
            };
            state.accounts.insert(unique_id.to_owned(), revived.clone());
            Ok(revived)
        })
    }

    /// Adds a workload pool, as GKE does when Workload Identity is turned on.
    pub fn add_workload_pool(&self, pool: &str) {
        self.write(|state| state.workload_pools.insert(pool.to_owned()));
    }

    /// Returns whether a workload pool exists.
    pub fn has_workload_pool(&self, pool: &str) -> bool {
        self.read(|state| state.workload_pools.contains(pool))
    }

    /// Returns a role by name, predefined or custom.
    pub fn role(&self, name: &str) -> Option<crate::Role> {
        crate::role::predefined()
            .get(name)
            .cloned()
            .or_else(|| self.read(|state| state.custom_roles.get(name).cloned()))
    }

    /// Returns a project's custom roles by name.
    pub fn custom_roles(&self, project: &str) -> Vec<(String, crate::Role)> {
        let prefix = format!("projects/{project}/roles/");
        self.read(|state| {
            let mine = state
                .custom_roles
                .iter()
                .filter(|(name, _)| name.starts_with(&prefix));
            mine.map(|(name, role)| (name.clone(), role.clone()))
                .collect()
        })
    }

    /// Stores a custom role, new or changed, under its name `projects/P/roles/R`.
    pub fn put_custom_role(&self, name: &str, role: crate::Role) {
        self.write(|state| state.custom_roles.insert(name.to_owned(), role));
    }

    /// Removes the policy of a deleted resource.
    pub fn forget_policy(&self, resource: &crate::Resource) {
        self.write(|state| {
            let key = state.policy_key(resource);
            state.policies.remove(&key);
        });
    }
}

impl State {
    /// Stores a policy without checks, to load a seed, which may contain invalid policies. The
    /// policy of a deleted account is stored under its id, and takes effect again when the account
    /// is undeleted.
    pub fn seed_policy(&mut self, resource: &crate::Resource, policy: &crate::PolicyJson) {
        let mut policy = Policy::from_json(policy);
        policy.normalise();
        policy.etag = self.next_etag();
        let key = match resource {
            crate::Resource::ServiceAccount { email, .. } => self
                .accounts
                .values()
                .find(|account| account.email == *email)
                .map(policy_key),
            _ => None,
        };
        let key = key.unwrap_or_else(|| self.policy_key(resource));
        self.policies.insert(key, policy);
    }
}

/// Returns the key of an account's policy: its id, so that a new account with a reused address
/// starts with an empty policy.
pub(crate) fn policy_key(account: &Account) -> String {
    format!(
        "//iam.googleapis.com/projects/{}/serviceAccounts/{}",
        account.project, account.unique_id
    )
}

fn active_member(account: &Account) -> String {
    format!("serviceAccount:{}", account.email)
}

fn deleted_member(account: &Account) -> String {
    format!(
        "deleted:serviceAccount:{}?uid={}",
        account.email, account.unique_id
    )
}

/// Returns a 21-digit id, like Google's.
fn unique_id() -> String {
    let random = sidestep_sandbox_base::random_bytes::<16>();
    let number = u128::from_be_bytes(random) % 100_000_000_000_000_000_000;
    format!("1{number:020}")
}
