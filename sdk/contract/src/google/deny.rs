//! The names of permissions and principals in deny policies, which are those of IAM v2.
//!
//! <https://cloud.google.com/iam/docs/deny-permissions-support>,
//! <https://cloud.google.com/iam/docs/principal-identifiers>

/// Returns a permission (`storage.objects.get`) as deny policies write it
/// (`storage.googleapis.com/objects.get`).
pub fn permission(name: &str) -> Option<String> {
    let (service, rest) = name.split_once('.')?;
    // Resource Manager is the only service whose permissions have another name than its host.
    let host = match service {
        "resourcemanager" => "cloudresourcemanager",
        other => other,
    };
    rest.contains('.')
        .then(|| format!("{host}.googleapis.com/{rest}"))
}

/// Returns whether an entry of a deny policy covers a permission. An entry is a permission, or a
/// group of them: `SERVICE/RESOURCE.*`, `SERVICE/*.VERB` or `SERVICE/*.*`.
pub fn covers(entry: &str, permission: &str) -> bool {
    let split = |text: &str| -> Option<(String, String, String)> {
        let (service, rest) = text.split_once('/')?;
        let (resource, verb) = rest.rsplit_once('.')?;
        Some((service.to_owned(), resource.to_owned(), verb.to_owned()))
    };
    let (Some(entry), Some(permission)) = (split(entry), split(permission)) else {
        return false;
    };
    let fits = |wanted: &str, found: &str| wanted == "*" || wanted == found;
    entry.0 == permission.0 && fits(&entry.1, &permission.1) && fits(&entry.2, &permission.2)
}

/// Returns the member of allow policies that a principal of a deny policy names. Returns `None` for
/// sets that allow policies cannot name, such as all service accounts of a folder.
pub fn member(principal: &str) -> Option<String> {
    let named = |prefix: &str, kind: &str| {
        let name = principal.strip_prefix(prefix)?;
        (!name.contains('/')).then(|| format!("{kind}:{name}"))
    };
    if principal == "principalSet://goog/public:all" {
        return Some("allUsers".to_owned());
    }
    let account = "principal://iam.googleapis.com/projects/-/serviceAccounts/";
    named(account, "serviceAccount")
        .or_else(|| named("principal://goog/subject/", "user"))
        .or_else(|| named("principalSet://goog/group/", "group"))
        .or_else(|| {
            let of_pool = principal.contains("://iam.googleapis.com/projects/")
                && principal.contains("/workloadIdentityPools/");
            of_pool.then(|| principal.to_owned())
        })
}

/// Returns the principal of deny policies for a member of allow policies: one account, one person,
/// or a principal of a pool.
pub fn principal(member: &str) -> Option<String> {
    let (kind, name) = member.split_once(':')?;
    match kind {
        "serviceAccount" if name.contains('@') => Some(format!(
            "principal://iam.googleapis.com/projects/-/serviceAccounts/{name}"
        )),
        "user" => Some(format!("principal://goog/subject/{name}")),
        "principal" => Some(member.to_owned()),
        _ => None,
    }
}
