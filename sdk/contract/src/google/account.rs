//! Addresses of Google service accounts.
//!
//! <https://cloud.google.com/iam/docs/service-account-types>

use super::project::{in_host, is_label, is_number, is_project, of_host};
use crate::{Builder, Command};

/// The domain of user-created accounts, after the project.
const OF_PEOPLE: &str = ".iam.gserviceaccount.com";

/// The address of a Google service account: `NAME@PROJECT.iam.gserviceaccount.com`, or the address
/// of an account that Google creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    address: String,
    project: Option<String>,
}

impl Account {
    /// Parses an address. Returns `None` for any other text, and for an address with text around
    /// it.
    pub fn read(text: &str) -> Option<Self> {
        let (name, domain) = text.split_once('@')?;
        // App Engine's account has a project before the `@`, and that project may belong to a
        // domain.
        let is_name = is_label(name)
            || domain == "appspot.gserviceaccount.com" && name.split('.').all(is_label);
        let is_one =
            is_name && domain.ends_with(".gserviceaccount.com") && domain.split('.').all(is_label);
        is_one.then(|| Self {
            address: text.to_owned(),
            project: Self::project_of(text),
        })
    }

    /// Returns the address of a user-created account in a project, given the project's id.
    pub fn in_project(name: &str, project: &str) -> Option<Self> {
        let host = is_project(project).then(|| in_host(project))?;
        Self::read(&format!("{name}@{host}{OF_PEOPLE}"))
    }

    /// Returns the project that an address names: its id for accounts created by users or App
    /// Engine, its number for accounts created by Compute Engine. Returns `None` if the address
    /// names no project.
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

    /// Returns the unique id under which policies name a deleted account of an address, from their
    /// members (`deleted:serviceAccount:EMAIL?uid=ID`).
    pub fn deleted<'m>(
        address: &str,
        mut members: impl Iterator<Item = &'m str>,
    ) -> Option<&'m str> {
        members.find_map(|member| {
            let member = member.strip_prefix("deleted:serviceAccount:")?;
            let id = member.strip_prefix(address)?.strip_prefix("?uid=")?;
            is_number(id).then_some(id)
        })
    }

    /// Returns the address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the project, by id or number, if the address names it.
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// Returns the project's id, if the address has it.
    pub fn project_id(&self) -> Option<&str> {
        self.project().filter(|project| !is_number(project))
    }

    /// Returns the name before the `@` of a user-created account.
    pub fn name(&self) -> Option<&str> {
        let (name, domain) = self.address.split_once('@')?;
        domain.ends_with(OF_PEOPLE).then_some(name)
    }

    /// Returns the command that creates the account, or `None` if only Google creates it.
    pub fn create(&self) -> Option<Command> {
        Command::new(&["gcloud", "iam", "service-accounts", "create"])
            .value(self.name())
            .option("--project", self.project_id())
            .build()
    }

    /// Returns the command that enables the account.
    pub fn enable(&self) -> Option<Command> {
        self.about("enable", self.address())
    }

    /// Returns the command that shows the account.
    pub fn describe(&self) -> Option<Command> {
        self.about("describe", self.address())
    }

    /// Returns the command that restores the deleted account by its unique id.
    pub fn undelete(&self, id: &str) -> Option<Command> {
        self.about("undelete", id)
    }

    fn about(&self, verb: &'static str, which: &str) -> Option<Command> {
        let about = Command::new(&["gcloud", "iam", "service-accounts"]).words(&[verb]);
        in_project(about.value(which), Some(self)).build()
    }
}

/// Adds the project if the address has its id. Otherwise gcloud finds the account by its address
/// alone.
pub(super) fn in_project(command: Builder, account: Option<&Account>) -> Builder {
    match account.and_then(Account::project_id) {
        Some(project) => command.option("--project", project),
        None => command,
    }
}
