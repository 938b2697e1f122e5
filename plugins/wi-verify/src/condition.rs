//! Conditions of bindings on buckets, which see single objects.
//! <https://cloud.google.com/iam/docs/conditions-resource-attributes>

/// What a bucket's condition says about an object whose name is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OfObjects {
    /// It holds for the objects whose names begin with this, and for no other.
    Prefix(String),
    /// It depends on the object, in a way that is not decided here.
    Undecided,
    /// It says nothing about objects.
    None,
}

/// Reads a condition of a binding on a bucket.
pub(crate) fn of_objects(expression: &str, bucket: &str) -> OfObjects {
    if !expression.contains("resource.name") && !expression.contains("resource.type") {
        return OfObjects::None;
    }
    let prefix = || {
        let argument = expression
            .trim()
            .strip_prefix("resource.name.startsWith(")?
            .strip_suffix(')')?
            .trim();
        let quote = argument
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\''))?;
        let text = argument.strip_prefix(quote)?.strip_suffix(quote)?;
        // What is escaped or goes on is another expression.
        if text.contains([quote, '\\']) {
            return None;
        }
        text.strip_prefix(&format!("projects/_/buckets/{bucket}/objects/"))
    };
    match prefix() {
        Some(prefix) => OfObjects::Prefix(prefix.to_owned()),
        None => OfObjects::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_on_a_prefix_is_read() {
        let name = "projects/_/buckets/b/objects/contexts/";
        for expression in [
            format!("resource.name.startsWith(\"{name}\")"),
            format!(" resource.name.startsWith('{name}') "),
        ] {
            assert_eq!(
                of_objects(&expression, "b"),
                OfObjects::Prefix("contexts/".to_owned())
            );
            assert_eq!(of_objects(&expression, "other"), OfObjects::Undecided);
        }
        for expression in [
            format!(
                "resource.name.startsWith(\"{name}\") && request.time < timestamp(\"2020-01-01T00:00:00Z\")"
            ),
            "resource.type == \"storage.googleapis.com/Object\"".to_owned(),
            format!("!resource.name.startsWith(\"{name}\")"),
            format!("resource.name.startsWith(\"{name}\") || (true)"),
        ] {
            assert_eq!(
                of_objects(&expression, "b"),
                OfObjects::Undecided,
                "{expression}"
            );
        }
        let time = "request.time < timestamp(\"2020-01-01T00:00:00Z\")";
        assert_eq!(of_objects(time, "b"), OfObjects::None);
    }
}
