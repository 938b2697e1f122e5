//! Conditions of bindings on buckets, which see single objects.
//!
//! <https://cloud.google.com/iam/docs/conditions-resource-attributes>

/// What a bucket's condition says about objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfObjects {
    /// It holds for the objects whose names begin with this, and for no other.
    Prefix(String),
    /// It depends on the object, in a way that is not decided here.
    Undecided,
    /// It does not depend on the object.
    None,
}

/// Writes the condition that holds for the objects of a bucket whose names begin with a prefix.
pub fn of_prefix(bucket: &str, prefix: &str) -> String {
    let name = format!("projects/_/buckets/{bucket}/objects/{prefix}");
    let name = name.replace('\\', r"\\").replace('"', "\\\"");
    format!("resource.name.startsWith(\"{name}\")")
}

/// Reads a condition of a binding on a bucket.
pub fn of_objects(expression: &str, bucket: &str) -> OfObjects {
    let seen = ["resource.name", "resource.type"];
    if !seen.iter().any(|part| expression.contains(part)) {
        return OfObjects::None;
    }
    let argument = expression
        .trim()
        .strip_prefix("resource.name.startsWith(")
        .and_then(|rest| rest.strip_suffix(')'));
    let prefix = argument.and_then(|argument| {
        let name = text(argument.trim())?;
        let objects = format!("projects/_/buckets/{bucket}/objects/");
        name.strip_prefix(&objects).map(str::to_owned)
    });
    prefix.map_or(OfObjects::Undecided, OfObjects::Prefix)
}

/// Reads one string literal of CEL, as far as [`of_prefix`] writes them. What goes on behind it is
/// another expression.
fn text(literal: &str) -> Option<String> {
    let mut rest = literal.chars();
    let quote = rest.next().filter(|c| matches!(c, '"' | '\''))?;
    let mut text = String::new();
    loop {
        match rest.next()? {
            '\\' => text.push(rest.next().filter(|c| matches!(c, '"' | '\'' | '\\'))?),
            end if end == quote => break,
            other => text.push(other),
        }
    }
    rest.as_str().is_empty().then_some(text)
}

/// Returns whether a permission is asked of single objects, so that a condition on their names can
/// grant it. Lists are asked of the bucket.
pub fn is_of_objects(permission: &str) -> bool {
    permission
        .strip_prefix("storage.objects.")
        .is_some_and(|verb| verb != "list")
}

/// Returns whether a role holds rights on objects alone, so that it can be granted under a
/// condition on their names.
pub fn is_role_of_objects(role: &str) -> bool {
    role.strip_prefix("roles/storage.object")
        .is_some_and(|rest| matches!(rest, "Viewer" | "Creator" | "User" | "Admin"))
}

/// Writes the value of a gcloud flag that takes `KEY=VALUE,…`. Where a value has a comma, another
/// delimiter is named first (`gcloud topic escaping`), so that no value can add a key.
pub fn entries(entries: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = entries
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let splits = |delimiter: &str| pairs.join(delimiter).split(delimiter).eq(&pairs);
    if splits(",") {
        return pairs.join(",");
    }
    let numbered = (0_u32..).map(|number| format!("|{number}|"));
    let delimiter = numbered.into_iter().find(|delimiter| splits(delimiter));
    let delimiter = delimiter.unwrap_or_default();
    format!("^{delimiter}^{}", pairs.join(&delimiter))
}
