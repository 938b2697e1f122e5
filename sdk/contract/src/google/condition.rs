//! Conditions of bucket bindings that depend on single objects.
//!
//! <https://cloud.google.com/iam/docs/conditions-resource-attributes>

/// The effect of a bucket's condition on objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfObjects {
    /// It holds exactly for the objects whose names begin with this prefix.
    Prefix(String),
    /// It depends on the object in a way that this parser cannot decide.
    Undecided,
    /// It does not depend on the object.
    None,
}

/// Returns the condition that holds for the objects of a bucket whose names begin with a prefix.
pub fn of_prefix(bucket: &str, prefix: &str) -> String {
    let name = format!("projects/_/buckets/{bucket}/objects/{prefix}");
    let name = name.replace('\\', r"\\").replace('"', "\\\"");
    format!("resource.name.startsWith(\"{name}\")")
}

/// Parses a condition of a bucket binding.
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

/// Parses one CEL string literal, as [`of_prefix`] writes it. Any text after the literal makes it a
/// different expression.
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

/// Returns whether a permission is checked on single objects, so that a condition on their names
/// can grant it. List permissions are checked on the bucket.
pub fn is_of_objects(permission: &str) -> bool {
    permission
        .strip_prefix("storage.objects.")
        .is_some_and(|verb| verb != "list")
}

/// Returns whether a role contains only object permissions, so that it can be granted under a
/// condition on object names.
pub fn is_role_of_objects(role: &str) -> bool {
    role.strip_prefix("roles/storage.object")
        .is_some_and(|rest| matches!(rest, "Viewer" | "Creator" | "User" | "Admin"))
}

/// Returns the value of a gcloud flag that takes `KEY=VALUE,…`. If a value contains a comma, the
/// text declares another delimiter first (`gcloud topic escaping`), so that no value can add a key.
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
