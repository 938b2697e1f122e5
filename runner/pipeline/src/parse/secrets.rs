//! Reads the sources of the pipeline's secrets.

use indexmap::IndexMap;
use sidestep_events::Place;
use sidestep_events::codes;
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
                codes::secret::SOURCE,
                at,
                format!("the secret `{name}` must have exactly one source"),
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
                        codes::secret::SOURCE,
                        value.at,
                        format!("`{text}` is not the name of a secret version"),
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

/// Rejects environment variables that are secrets but that expressions may read too: the value of
/// an expression is part of the plan, which is stored and shown.
pub(super) fn keep_out_of_env(
    problems: &mut Problems<'_>,
    secrets: &IndexMap<String, SecretSource>,
    env: &[(String, Place)],
) {
    for (variable, at) in env {
        let secret = secrets.iter().find(|(_, source)| match source {
            SecretSource::Env(source) => source == variable,
            SecretSource::File(_) | SecretSource::SecretManager(_) => false,
        });
        if let Some((name, _)) = secret {
            problems.add_help(
                codes::secret::IN_ENV,
                *at,
                format!("`{variable}` is listed in `env`, but it holds the secret `{name}`"),
                format!(
                    "remove it from `env`: expressions would put the secret's text into the plan; \
                     a step uses it with `secrets: [{name}]`"
                ),
            );
        }
    }
}
