//! Common mistakes in service account addresses.

use super::account::Account;

/// A mistake in the spelling of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misspelt {
    /// The kind of text that was found instead of an address.
    pub what: &'static str,
    /// The most likely intended address.
    pub meant: Option<Account>,
}

impl Account {
    /// Parses a text that must be exactly one address. `project` is the default project for an
    /// account whose text names none.
    ///
    /// # Errors
    /// Returns the kind of text that was found, and the account that it most likely means.
    pub fn check(text: &str, project: &str) -> Result<Self, Misspelt> {
        Self::read(text).ok_or_else(|| misspelt(text, project))
    }
}

fn misspelt(text: &str, project: &str) -> Misspelt {
    let bare = text.trim();
    let unquoted = bare.trim_matches(['"', '\'', '`']);
    let unprefixed = unquoted.strip_prefix("serviceAccount:");
    let last = unquoted.rsplit('/').next().unwrap_or(unquoted);
    let is_id = super::is_number(last);
    let what = if bare.is_empty() {
        "empty"
    } else if bare.contains(['$', '{', '}']) {
        "a template whose variables were not replaced"
    } else if bare != unquoted {
        "in quotes, which are part of the text"
    } else if unprefixed.is_some() {
        "a policy's member, not an address"
    } else if unquoted.contains("serviceAccounts/") {
        "a resource's name, not an address"
    } else if is_id {
        "an account's unique id, not an address"
    } else if !bare.contains('@') {
        "a name, not an address"
    } else if text != bare {
        "an address with white space around it"
    } else {
        "not the address of a service account"
    };
    let filled = replace_variables(unprefixed.unwrap_or(last), project);
    let meant = match filled.as_str() {
        // Only Google knows which account has this id.
        _ if is_id => None,
        address if address.contains('@') => Account::read(address),
        name => Account::in_project(name, project),
    };
    Misspelt { what, meant }
}

/// Replaces each `${VARIABLE}` and `$VARIABLE` whose name suggests a project with the project.
fn replace_variables(text: &str, project: &str) -> String {
    let project = super::in_host(project);
    let mut filled = text.to_owned();
    for name in [
        "PROJECT_ID",
        "GOOGLE_CLOUD_PROJECT",
        "GCP_PROJECT",
        "PROJECT",
    ] {
        filled = filled.replace(&format!("${{{name}}}"), &project);
        filled = filled.replace(&format!("${name}"), &project);
    }
    filled
}
