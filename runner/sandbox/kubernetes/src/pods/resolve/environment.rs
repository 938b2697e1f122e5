//! A container's environment, with every reference resolved.

use serde_json::Value;

use super::{Missing, Resolver};

impl Resolver<'_> {
    pub(super) fn environment(&self, container: &Value) -> Result<Vec<(String, String)>, Missing> {
        let mut env: Vec<(String, String)> = Vec::new();
        let mut set = |name: String, value: String| match env.iter_mut().find(|(n, _)| *n == name) {
            Some(have) => have.1 = value,
            None => env.push((name, value)),
        };
        set("HOSTNAME".to_owned(), self.field("metadata.name"));
        for from in container["envFrom"].as_array().into_iter().flatten() {
            let prefix = from["prefix"].as_str().unwrap_or_default();
            for (field, plural) in [("secretRef", "secrets"), ("configMapRef", "configmaps")] {
                if from[field].is_object() {
                    let values = self
                        .keys(plural, &from[field], "name")
                        .map_err(Missing::Config)?;
                    for (key, value) in values {
                        set(
                            format!("{prefix}{key}"),
                            String::from_utf8_lossy(&value).into_owned(),
                        );
                    }
                }
            }
        }
        let mut known: Vec<(String, String)> = env.clone();
        for item in container["env"].as_array().into_iter().flatten() {
            let name = item["name"].as_str().unwrap_or_default().to_owned();
            let value = match self.value(&item["valueFrom"])? {
                From::Value(value) => value,
                From::Absent => continue,
                From::Plain => expand(item["value"].as_str().unwrap_or_default(), &known),
            };
            known.retain(|(n, _)| *n != name);
            known.push((name, value));
        }
        Ok(known)
    }

    fn value(&self, from: &Value) -> Result<From, Missing> {
        for (field, plural, kind) in [
            ("secretKeyRef", "secrets", "Secret"),
            ("configMapKeyRef", "configmaps", "ConfigMap"),
        ] {
            let reference = &from[field];
            if !reference.is_object() {
                continue;
            }
            let (name, key) = (
                reference["name"].as_str().unwrap_or_default(),
                reference["key"].as_str().unwrap_or_default(),
            );
            let values = self
                .keys(plural, reference, "name")
                .map_err(Missing::Config)?;
            return match values.into_iter().find(|(k, _)| k == key) {
                Some((_, value)) => Ok(From::Value(String::from_utf8_lossy(&value).into_owned())),
                None if reference["optional"] == true => Ok(From::Absent),
                None => Err(Missing::Config(format!(
                    "couldn't find key {key} in {kind} {}/{name}",
                    self.namespace()
                ))),
            };
        }
        if let Some(path) = from["fieldRef"]["fieldPath"].as_str() {
            return Ok(From::Value(self.field(path)));
        }
        Ok(From::Plain)
    }
}

enum From {
    Value(String),
    Absent,
    Plain,
}

/// Replaces `$(NAME)` with known variables; `$$` stands for `$`.
pub(super) fn expand(text: &str, env: &[(String, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        if let Some(after) = tail.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = tail.strip_prefix('(').and_then(|t| t.split_once(')')) {
            match env.iter().find(|(n, _)| n == name) {
                Some((_, value)) => out.push_str(value),
                None => out.push_str(&rest[at..rest.len() - after.len()]),
            }
            rest = after;
        } else {
            out.push('$');
            rest = tail;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_in_arguments() {
        let env = vec![("A".to_owned(), "1".to_owned())];
        for (text, expanded) in [
            ("$(A)/x", "1/x"),
            ("$$(A)", "$(A)"),
            ("$(B)", "$(B)"),
            ("$", "$"),
            ("$(A", "$(A"),
        ] {
            assert_eq!(expand(text, &env), expanded);
        }
    }
}
