use crate::scope::Scope;

/// Describes a scope of one resource and its actions: `get and getPolicy project P`.
pub(crate) fn lookup(scope: &Scope, key: &str, what: &str) -> String {
    let actions = scope.words("actions").unwrap_or_else(|| "use".to_owned());
    match scope.words(key) {
        Some(which) => format!("{actions} {what} {which}"),
        None => format!("{actions} {what} **"),
    }
}

/// Describes a namespace: `namespace N of C`.
pub(crate) fn namespace(scope: &Scope) -> String {
    let namespace = scope.words("namespace").map_or_else(
        || "every namespace".to_owned(),
        |name| format!("namespace {name}"),
    );
    match scope.words("cluster") {
        Some(cluster) => format!("{namespace} of {cluster}"),
        None => format!("{namespace} of any cluster"),
    }
}
