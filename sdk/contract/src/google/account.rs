//! Addresses of Google service accounts.
//!
//! <https://cloud.google.com/iam/docs/service-account-types>

use super::member::Member;
use super::project::{in_host, is_label, is_number, is_project, of_host};
use crate::{Builder, Command, Value};

/// The domain of the accounts that people create, after the project.
const OF_PEOPLE: &str = ".iam.gserviceaccount.com";

/// The address of a Google service account: `NAME@PROJECT.iam.gserviceaccount.com`, or that of an
/// account that Google creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    address: String,
    project: Option<String>,
}

impl Account {
    /// Reads an address. None for any other text, also for one with something around the address.
    pub fn read(text: &str) -> Option<Self> {
        let (name, domain) = text.split_once('@')?;
        // App Engine's account has a project before the `@`, and that may belong to a domain.
        let is_name = is_label(name)
            || domain == "appspot.gserviceaccount.com" && name.split('.').all(is_label);
        let is_one =
            is_name && domain.ends_with(".gserviceaccount.com") && domain.split('.').all(is_label);
        is_one.then(|| Self {
            address: text.to_owned(),
            project: Self::project_of(text),
        })
    }

    /// Returns the address of an account that people create in a project, named by its id.
    pub fn in_project(name: &str, project: &str) -> Option<Self> {
        let host = is_project(project).then(|| in_host(project))?;
        Self::read(&format!("{name}@{host}{OF_PEOPLE}"))
    }

    /// Returns the project that an address names: by id where people or App Engine created the
    /// account, by number where Compute Engine did. None where the address does not say.
    pub fn project_of(address: &str) -> Option<String> {
        let (name, domain) = address.split_once('@')?;
        match domain {
            "developer.gserviceaccount.com" => name
                .strip_suffix("-compute")
                .filter(|number| is_number(number))
                .map(str::to_owned),
            "appspot.gserviceaccount.com" => of_host(name),
            _ => of_host(domain.strip_suffix(OF_PEOPLE)?),
        }
    }

    /// Returns the address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the project, by id or number, where the address names it.
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// Returns the project's id, where the address has it.
    pub fn project_id(&self) -> Option<&str> {
        self.project().filter(|project| !is_number(project))
    }

    /// Returns the name before the `@`, of an account that people create.
    pub fn name(&self) -> Option<&str> {
        let (name, domain) = self.address.split_once('@')?;
        domain.ends_with(OF_PEOPLE).then_some(name)
    }

    /// Returns the account as a member of policies.
    pub fn member(&self) -> Member {
        Member::account(self.address())
    }

    /// Creates the account. None for one that only Google creates.
    pub fn create(&self) -> Option<Command> {
        Command::new(&["gcloud", "iam", "service-accounts", "create"])
            .value(self.name())
            .option("--project", self.project_id())
            .build()
    }

    /// Enables the account.
    pub fn enable(&self) -> Option<Command> {
        self.about("enable", self.address())
    }

    /// Shows the account.
    pub fn describe(&self) -> Option<Command> {
        self.about("describe", self.address())
    }

    /// Restores the deleted account, by its unique id.
    pub fn undelete(&self, id: &str) -> Option<Command> {
        self.about("undelete", id)
    }

    fn about(&self, verb: &'static str, which: &str) -> Option<Command> {
        let about = Command::new(&["gcloud", "iam", "service-accounts"]).words(&[verb]);
        in_project(about.value(which), Some(self)).build()
    }
}

/// Lets a member act as a Google service account, which may be looked up by the command.
pub fn let_act_as(account: impl Into<Value>, member: &Member) -> Option<Command> {
    let account = account.into();
    let known = account.text().map(Account::read);
    if known == Some(None) {
        return None;
    }
    let bind = Command::new(&["gcloud", "iam", "service-accounts"])
        .words(&["add-iam-policy-binding"])
        .value(account);
    in_project(bind, known.flatten().as_ref())
        .option("--role", "roles/iam.workloadIdentityUser")
        .option("--member", member)
        .words(&["--condition=None"])
        .build()
}

/// Names the project where the address has its id; gcloud also finds an account by its address
/// alone.
fn in_project(command: Builder, account: Option<&Account>) -> Builder {
    match account.and_then(Account::project_id) {
        Some(project) => command.option("--project", project),
        None => command,
    }
}
