//! What people write in place of a service account's address.

use super::account::Account;

/// What is wrong with the spelling of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misspelt {
    /// What the text is in place of an address.
    pub what: &'static str,
    /// The address that is most likely meant.
    pub meant: Option<Account>,
}

impl Account {
    /// Reads a text that should be an address and nothing else. `project` is where an account lies
    /// whose project the text does not name.
    ///
    /// # Errors
    /// What the text is instead, and which account it most likely means.
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
        "in quotes, which belong to it"
    } else if unprefixed.is_some() {
        "a policy's member, not an address"
    } else if unquoted.contains("serviceAccounts/") {
        "a resource's name, not an address"
    } else if is_id {
        "an account's unique id, not an address"
    } else if !bare.contains('@') {
        "a name, not an address"
    } else if text != bare {
        "an address with blanks around it"
    } else {
        "not the address of a service account"
    };
    let filled = replace_variables(unprefixed.unwrap_or(last), project);
    let meant = match filled.as_str() {
        // Which account has the id, only Google knows.
        _ if is_id => None,
        address if address.contains('@') => Account::read(address),
        name => Account::in_project(name, project),
    };
    Misspelt { what, meant }
}

/// Puts the project in the place of each `${VARIABLE}` and `$VARIABLE` whose name says that it is
/// one.
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
