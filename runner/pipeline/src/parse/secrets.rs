//! The pipeline's secrets: where each comes from.

use indexmap::IndexMap;
use sidestep_policy::tree::Node;

use crate::plan::SecretSource;
use crate::problems::Problems;
use crate::read;

pub(super) fn read(problems: &mut Problems<'_>, node: &Node) -> IndexMap<String, SecretSource> {
    const SOURCES: &[&str] = &["env", "file", "secretManager"];
    let mut secrets = IndexMap::new();
    for (name, at, node) in read::named(problems, node, "`secrets`") {
        if !read::keys(problems, node, "a secret", SOURCES) {
            continue;
        }
        let [(key, value)] = node.entries() else {
            problems.add_help(
                "secret.source",
                at,
                format!("the secret `{name}` comes from exactly one place"),
                format!("write `{name}: {{ env: VARIABLE }}`, `file:` or `secretManager:`"),
            );
            continue;
        };
        let Some(text) = read::text(problems, value, "a secret's source") else {
            continue;
        };
        let source = match key.text.as_str() {
            "env" => SecretSource::Env(text),
            "file" => SecretSource::File(text),
            "secretManager" => {
                let parts: Vec<&str> = text.split('/').collect();
                if !matches!(parts.as_slice(), ["projects", p, "secrets", s, "versions", v] if ![p, s, v].iter().any(|part| part.is_empty()))
                {
                    problems.add_help(
                        "secret.source",
                        value.at,
                        format!("`{text}` is not the name of a secret's version"),
                        "write projects/P/secrets/S/versions/latest",
                    );
                }
                SecretSource::SecretManager(text)
            }
            _ => continue,
        };
        secrets.insert(name.to_owned(), source);
    }
    secrets
}
