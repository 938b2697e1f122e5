use crate::limits::Limits;

/// Describes a scope of one resource and its actions: `get and getPolicy project P`.
pub(crate) fn lookup(limits: &Limits, key: &str, what: &str) -> String {
    let actions = limits.words("actions").unwrap_or_else(|| "use".to_owned());
    match limits.words(key) {
        Some(which) => format!("{actions} {what} {which}"),
        None => format!("{actions} {what} **"),
    }
}

/// Describes a namespace: `namespace N of C`.
pub(crate) fn namespace(limits: &Limits) -> String {
    let namespace = limits.words("namespace").map_or_else(
        || "every namespace".to_owned(),
        |name| format!("namespace {name}"),
    );
    match limits.words("cluster") {
        Some(cluster) => format!("{namespace} of {cluster}"),
        None => format!("{namespace} of any cluster"),
    }
}
