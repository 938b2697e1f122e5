//! Builds `kubectl` commands about namespaces and service accounts. kubectl takes its cluster from
//! a context that is not known here.

use crate::{Command, Value};

/// The annotation that names the Google service account of a Kubernetes one.
pub const GOOGLE_ACCOUNT: &str = "iam.gke.io/gcp-service-account";

/// Creates a namespace.
pub fn create_namespace(name: &str) -> Option<Command> {
    Command::new(&["kubectl", "create", "namespace"])
        .value(name)
        .build()
}

/// Creates a service account.
pub fn create_account(namespace: &str, name: &str) -> Option<Command> {
    Command::new(&["kubectl", "create", "serviceaccount"])
        .value(name)
        .option("-n", namespace)
        .build()
}

/// Annotates a service account with the Google one that it acts as.
pub fn annotate(namespace: &str, name: &str, account: impl Into<Value>) -> Option<Command> {
    Command::new(&["kubectl", "annotate", "serviceaccount"])
        .value(name)
        .option("-n", namespace)
        .joined([GOOGLE_ACCOUNT.into(), "=".into(), account.into()])
        .words(&["--overwrite"])
        .build()
}

/// Removes the annotation that names a Google service account.
pub fn remove_annotation(namespace: &str, name: &str) -> Option<Command> {
    Command::new(&["kubectl", "annotate", "serviceaccount"])
        .value(name)
        .option("-n", namespace)
        .joined([GOOGLE_ACCOUNT.into(), "-".into()])
        .build()
}

/// Lets a user create tokens of one service account, and of no other: a Role and its RoleBinding.
/// Empty where the user is not known, since a Role alone grants nothing.
///
/// Both are named after the account, and the binding after the user too, so that the commands for
/// another account or user do not meet names that are taken.
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

/// Returns the user whom an API server names in a refusal: `… is forbidden: User "X" cannot …`.
pub fn refused_user(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(" is forbidden: User \"")?;
    let (user, _) = rest.split_once("\" cannot ")?;
    (!user.is_empty() && !user.contains(['"', '\n'])).then_some(user)
}

/// Writes a user as one segment of a path, as names of RBAC objects are: `/` and `%` may not stand
/// in one. No two users are written alike.
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
