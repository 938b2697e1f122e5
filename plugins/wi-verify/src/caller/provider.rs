//! Link C2: the provider, by its name and its settings.

use sidestep::gcp::iam::{Pool, Provider};
use sidestep::google::is_number;
use sidestep::{Error, Result, codes};

use super::{Claims, broken, commands, shown, written_wrong};
use crate::verdict::{Verdict, unread};

/// The form of a provider's name.
pub(super) const FORM: &str =
    "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER";

/// The parts of a provider's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// The number of the project.
    pub(super) project: String,
    pub(super) pool: String,
    pub(super) provider: String,
}

impl Name {
    /// Reads a provider's name.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub(super) fn read(text: &str) -> Result<Self> {
        let wrong = |what: String| {
            written_wrong(
                codes::identity::PROVIDER_NAME,
                format!("`{text}` is not the name of a workload identity provider: {what}"),
            )
        };
        let parts: Vec<&str> = text.split('/').collect();
        let (project, pool, provider) = match parts[..] {
            [
                "projects",
                project,
                "locations",
                "global",
                "workloadIdentityPools",
                pool,
                "providers",
                provider,
            ] => (project, pool, provider),
            [
                "projects",
                project,
                "locations",
                "global",
                "workloadIdentityPools",
                pool,
                ..,
            ] => {
                return Err(wrong("it names a pool, and no provider of it".to_owned())
                    .help(format!("write {FORM}; the providers of the pool:"))
                    .helps(commands::list_providers(&format!(
                        "projects/{project}/locations/global/workloadIdentityPools/{pool}"
                    ))));
            }
            _ => return Err(wrong("it has another form".to_owned()).help(format!("write {FORM}"))),
        };
        if !is_number(project) {
            return Err(wrong(format!(
                "{project} is the id of the project, not its number"
            ))
            .help("write the project's number in the setting `identity.provider`; it is:")
            .helps(commands::show_number(project)));
        }
        Ok(Self {
            project: project.to_owned(),
            pool: pool.to_owned(),
            provider: provider.to_owned(),
        })
    }

    /// `projects/NUMBER/locations/global/workloadIdentityPools/POOL`.
    pub(super) fn pool_name(&self) -> String {
        format!(
            "projects/{}/locations/global/workloadIdentityPools/{}",
            self.project, self.pool
        )
    }

    /// Returns the provider's resource name.
    pub(super) fn text(&self) -> String {
        format!("{}/providers/{}", self.pool_name(), self.provider)
    }
}

/// Judges what was read of a pool: whether it can be used.
pub(super) fn pool(name: &Name, read: Result<Pool>, caller: &str) -> Result<Verdict> {
    let pool = match read {
        Ok(pool) => pool,
        Err(error) if error.is_not_found() => {
            return Ok(Verdict::Broken(
                missing(format!(
                    "there is no pool {} in project {}",
                    name.pool, name.project
                ))
                .help("the pools of the project:")
                .helps(commands::list_pools(&name.project)),
            ));
        }
        Err(error) => return unread(caller, &format!("the pool {}", name.pool), error),
    };
    Ok(if pool.state == "DELETED" {
        Verdict::Broken(
            missing(format!(
                "the pool {} is deleted; it keeps its id for 30 days",
                name.pool
            ))
            .help("an administrator of the project can restore it:")
            .helps(commands::undelete_pool(name)),
        )
    } else if pool.disabled {
        Verdict::Broken(
            missing(format!("the pool {} is disabled", name.pool))
                .help("an administrator of the project can enable it:")
                .helps(commands::enable_pool(name)),
        )
    } else {
        Verdict::Holds(name.text())
    })
}

/// Judges what was read of a provider, for a token with these claims.
pub(super) fn provider(
    name: &Name,
    read: &Result<Provider>,
    claims: &Claims,
    caller: &str,
) -> Result<Verdict> {
    let id = &name.provider;
    let found = match read {
        Ok(found) => found,
        Err(error) if error.is_not_found() => {
            return Ok(Verdict::Broken(
                missing(format!("the pool {} has no provider {id}", name.pool))
                    .help("the providers of the pool:")
                    .helps(commands::list_providers(&name.pool_name())),
            ));
        }
        Err(error) => return unread(caller, &format!("the provider {id}"), error.clone()),
    };
    if found.state == "DELETED" {
        return Ok(Verdict::Broken(
            missing(format!(
                "the provider {id} is deleted; it keeps its id for 30 days"
            ))
            .help("an administrator of the project can restore it:")
            .helps(commands::undelete_provider(name)),
        ));
    }
    if found.disabled {
        return Ok(Verdict::Broken(
            missing(format!("the provider {id} is disabled"))
                .help("an administrator of the project can enable it:")
                .helps(commands::enable_provider(name)),
        ));
    }
    if let Some(error) = issuer(name, found, claims).or_else(|| audience(name, found, claims)) {
        return Ok(Verdict::Broken(error));
    }
    Ok(Verdict::Holds(format!(
        "{} trusts the token's issuer",
        name.text()
    )))
}

fn missing(message: String) -> Error {
    broken(codes::identity::PROVIDER_MISSING, message)
}

fn issuer(name: &Name, found: &Provider, claims: &Claims) -> Option<Error> {
    let expected = found.issuer.as_deref()?;
    let issuer = claims.get("iss").map(shown)?;
    if issuer == expected {
        return None;
    }
    let near = if issuer.ends_with("/_services/token") && expected.contains("githubusercontent") {
        "\nGitHub Enterprise Server issues the tokens of its own jobs."
    } else if issuer.trim_end_matches('/') == expected.trim_end_matches('/') {
        "\nThe two differ in the last slash."
    } else {
        ""
    };
    Some(
        broken(
            codes::identity::ISSUER_MISMATCH,
            format!(
                "the id token is issued by {issuer}, but the provider {} trusts {expected}.{near}",
                name.provider
            ),
        )
        .help("if the provider is meant for this CI system, an administrator can correct it; otherwise, name the CI system's own provider:")
        .helps(commands::update(name, "--issuer-uri", &issuer)),
    )
}

fn audience(name: &Name, found: &Provider, claims: &Claims) -> Option<Error> {
    let audiences = match claims.get("aud")? {
        sidestep::serde_json::Value::Array(all) => all.iter().map(shown).collect(),
        one => vec![shown(one)],
    };
    let own = name.text();
    let is_own = |audience: &str| {
        let rest = audience.strip_prefix("https:").unwrap_or(audience);
        rest.strip_prefix("//iam.googleapis.com/") == Some(&own)
    };
    let allows = |audience: &String| match found.allowed_audiences.as_slice() {
        [] => is_own(audience),
        some => some.contains(audience),
    };
    if audiences.iter().any(allows) {
        return None;
    }
    let expected = match found.allowed_audiences.as_slice() {
        [] => format!("https://iam.googleapis.com/{own}"),
        some => some.join(", "),
    };
    let sent = audiences.join(", ");
    let all: Vec<&str> = found
        .allowed_audiences
        .iter()
        .chain(&audiences)
        .map(String::as_str)
        .collect();
    Some(
        broken(
            codes::identity::AUDIENCE_MISMATCH,
            format!(
                "the id token is for the audience {sent}, but the provider {} allows {expected}.",
                name.provider
            ),
        )
        .help(format!("set this audience in the job (GitLab: `aud` of its `id_tokens`): {expected}"))
        .help("or an administrator can allow the job's audience, if only this provider's tokens have it:")
        .helps(commands::update(name, "--allowed-audiences", &all.join(","))),
    )
}
