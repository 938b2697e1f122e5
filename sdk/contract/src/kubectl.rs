//! Builds `kubectl` commands for namespaces and service accounts. kubectl takes its cluster from a
//! context that is not known here.

use crate::{Command, Value};

/// The annotation on a Kubernetes service account that names its Google service account.
pub const GOOGLE_ACCOUNT: &str = "iam.gke.io/gcp-service-account";

/// Returns the command that creates a namespace.
pub fn create_namespace(name: &str) -> Option<Command> {
    Command::new(&["kubectl", "create", "namespace"])
        .value(name)
        .build()
}

/// Returns the command that creates a service account.
pub fn create_account(namespace: &str, name: &str) -> Option<Command> {
    Command::new(&["kubectl", "create", "serviceaccount"])
        .value(name)
        .option("-n", namespace)
        .build()
}

/// Returns the command that annotates a service account with the Google account that it
/// impersonates.
pub fn annotate(namespace: &str, name: &str, account: impl Into<Value>) -> Option<Command> {
    Command::new(&["kubectl", "annotate", "serviceaccount"])
        .value(name)
        .option("-n", namespace)
        .joined([GOOGLE_ACCOUNT.into(), "=".into(), account.into()])
        .words(&["--overwrite"])
        .build()
}

/// Returns the command that removes the annotation that names a Google service account.
pub fn remove_annotation(namespace: &str, name: &str) -> Option<Command> {
    Command::new(&["kubectl", "annotate", "serviceaccount"])
        .value(name)
        .option("-n", namespace)
        .joined([GOOGLE_ACCOUNT.into(), "-".into()])
        .build()
}

/// Returns the commands that let a user create tokens of exactly one service account: a Role and
/// its RoleBinding. Empty if the user is unknown, because a Role alone grants nothing.
///
/// Both are named after the account, and the binding after the user too, so that the commands for
/// another account or user do not collide with existing names.
pub fn let_create_tokens(namespace: &str, name: &str, user: Option<&str>) -> Vec<Command> {
    let role = format!("create-tokens-of-{name}");
    let binding = format!("{role}:{}", segment(user.unwrap_or_default()));
    let create_role = Command::new(&["kubectl", "create", "role"])
        .value(&role)
        .words(&["--verb=create", "--resource=serviceaccounts/token"])
        .joined(["--resource-name=".into(), name.into()])
        .option("-n", namespace)
        .build();
    let create_binding = Command::new(&["kubectl", "create", "rolebinding"])
        .value(binding)
        .joined(["--role=".into(), role.into()])
        .option("--user", user)
        .option("-n", namespace)
        .build();
    match (create_role, create_binding) {
        (Some(role), Some(binding)) => vec![role, binding],
        _ => Vec::new(),
    }
}

/// Returns the user that an API server names in a refusal: `… is forbidden: User "X" cannot …`.
pub fn refused_user(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(" is forbidden: User \"")?;
    let (user, _) = rest.split_once("\" cannot ")?;
    (!user.is_empty() && !user.contains(['"', '\n'])).then_some(user)
}

/// Encodes a user as one path segment, because names of RBAC objects cannot contain `/` or `%`. No
/// two users have the same encoding.
fn segment(user: &str) -> String {
    let mut written = String::with_capacity(user.len());
    for c in user.chars() {
        match c {
            '=' => written.push_str("=="),
            '/' => written.push_str("=s"),
            '%' => written.push_str("=p"),
            other => written.push(other),
        }
    }
    written
}
