//! Policy members.

use super::account::{Account, in_project};
use crate::{Command, Value};

/// A policy member: one account, one person or one workload. The type cannot express a set, such as
/// `allUsers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member(Value);

impl Member {
    /// Returns the member for a caller as Google's messages name it: an address, or a principal.
    /// Returns `None` for any other text, such as `Caller` or `Anonymous caller`.
    pub fn of_caller(text: &str) -> Option<Self> {
        if let Some(account) = Account::read(text) {
            return Some(Self::account(account.address()));
        }
        if text.starts_with("principal://iam.googleapis.com/") && is_path(text) {
            return Some(Self(text.into()));
        }
        is_person(text).then(|| Self(Value::joined(["user:", text])))
    }

    /// Returns a principal, or a set of them, of a workload identity pool as a member.
    pub fn of_pool(text: &str) -> Option<Self> {
        let (kind, path) = text.split_once("://iam.googleapis.com/")?;
        let of_pool = matches!(kind, "principal" | "principalSet") && is_path(path);
        of_pool.then(|| Self(text.into()))
    }

    /// Returns the member for a Google service account. A command may look up its address.
    pub fn account(address: impl Into<Value>) -> Self {
        Self(Value::joined(["serviceAccount:".into(), address.into()]))
    }

    /// Returns a workload as a member of a Google service account's policy. `pool` is the cluster's
    /// workload pool.
    pub fn workload(pool: impl Into<Value>, namespace: &str, account: &str) -> Self {
        Self(Value::joined([
            "serviceAccount:".into(),
            pool.into(),
            "[".into(),
            namespace.into(),
            "/".into(),
            account.into(),
            "]".into(),
        ]))
    }

    /// Returns the workload itself as a member. `number` is the number of the cluster's project.
    pub fn principal(
        number: impl Into<Value>,
        pool: impl Into<Value>,
        namespace: &str,
        account: &str,
    ) -> Self {
        Self(Value::joined([
            "principal://iam.googleapis.com/projects/".into(),
            number.into(),
            "/locations/global/workloadIdentityPools/".into(),
            pool.into(),
            "/subject/ns/".into(),
            namespace.into(),
            "/sa/".into(),
            account.into(),
        ]))
    }

    /// Returns the member as policies write it, or `None` if it is unknown or is looked up only
    /// when a command runs.
    pub fn text(&self) -> Option<&str> {
        self.0.text()
    }
}

impl From<&Member> for Value {
    fn from(member: &Member) -> Self {
        member.0.clone()
    }
}

/// Returns the command that lets a member impersonate a Google service account. Another command may
/// look up the account.
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

fn is_path(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b":/._-@+%=~".contains(&byte))
}

/// Returns whether a text is the address of a person.
fn is_person(text: &str) -> bool {
    let plain = |text: &str, more: &[u8]| {
        !text.is_empty()
            && !text.starts_with(['-', '.'])
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    text.split_once('@').is_some_and(|(name, domain)| {
        plain(name, b".-_+")
            && plain(domain, b".-")
            && domain.contains('.')
            && !domain.ends_with("gserviceaccount.com")
    })
}
