//! Conditions of bucket bindings that depend on single objects.
//!
//! <https://cloud.google.com/iam/docs/conditions-resource-attributes>

/// The effect of a bucket's condition on objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfObjects {
    /// It holds exactly for the objects whose names begin with this prefix.
    Prefix(String),
    /// It holds exactly for the object with this name, and for those whose names begin with it and
    /// a `/`.
    Path(String),
    /// It depends on the object in a way that this parser cannot decide.
    Undecided,
    /// It does not depend on the object.
    None,
}

/// Returns the condition that holds for the objects of a bucket whose names begin with a prefix.
pub fn of_prefix(bucket: &str, prefix: &str) -> String {
    begins(&literal(bucket, prefix))
}

/// Returns the condition that holds for the objects that a grant's prefix allows. Without a final
/// `/`, the prefix names one object, and those below it.
pub fn of_grant(bucket: &str, prefix: &str) -> String {
    if prefix.is_empty() || prefix.ends_with('/') {
        return of_prefix(bucket, prefix);
    }
    let (object, below) = (
        literal(bucket, prefix),
        literal(bucket, &format!("{prefix}/")),
    );
    format!("resource.name == {object} || {}", begins(&below))
}

fn begins(literal: &str) -> String {
    format!("{BEGINS}{literal})")
}

/// The start of a condition on a prefix.
const BEGINS: &str = "resource.name.startsWith(";

/// Returns the name of an object as a CEL string literal.
fn literal(bucket: &str, object: &str) -> String {
    let name = format!("{}{object}", objects(bucket));
    format!("\"{}\"", name.replace('\\', r"\\").replace('"', "\\\""))
}

fn objects(bucket: &str) -> String {
    format!("projects/_/buckets/{bucket}/objects/")
}

/// Parses a condition of a bucket binding.
pub fn of_objects(expression: &str, bucket: &str) -> OfObjects {
    let seen = ["resource.name", "resource.type"];
    if !seen.iter().any(|part| expression.contains(part)) {
        return OfObjects::None;
    }
    let (expression, objects) = (expression.trim(), objects(bucket));
    let prefix = || {
        let name = prefix_of(expression)?;
        name.strip_prefix(&objects).map(str::to_owned)
    };
    let path = || {
        let rest = expression.strip_prefix("resource.name ==")?;
        let (name, rest) = text(rest.trim_start())?;
        let below = prefix_of(rest.trim_start().strip_prefix("||")?.trim_start())?;
        let is_below = below.strip_suffix('/') == Some(&name);
        is_below.then(|| name.strip_prefix(&objects).map(str::to_owned))?
    };
    let prefix = prefix().map(OfObjects::Prefix);
    prefix
        .or_else(|| path().map(OfObjects::Path))
        .unwrap_or(OfObjects::Undecided)
}

/// Parses a condition that is only a prefix of names, as [`of_prefix`] writes it.
fn prefix_of(expression: &str) -> Option<String> {
    let (name, rest) = text(expression.strip_prefix(BEGINS)?.trim_start())?;
    (rest.trim_start() == ")").then_some(name)
}

/// Parses the CEL string literal at the start, and returns the rest.
fn text(start: &str) -> Option<(String, &str)> {
    let mut rest = start.chars();
    let quote = rest.next().filter(|c| matches!(c, '"' | '\''))?;
    let mut text = String::new();
    loop {
        match rest.next()? {
            '\\' => text.push(rest.next().filter(|c| matches!(c, '"' | '\'' | '\\'))?),
            end if end == quote => break,
            other => text.push(other),
        }
    }
    Some((text, rest.as_str()))
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
