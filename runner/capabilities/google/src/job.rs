//! The id token that a CI system gives its job. Its claims may be displayed; the token may not.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header;
use serde_json::{Map, Value, json};
use sidestep_files::given;
use sidestep_handles::Secret;
use sidestep_masks::Masks;
use sidestep_transport as transport;

use crate::{Origin, Variables};

/// The timeout of the CI's answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The maximum length of a token, in bytes.
const LONGEST: usize = 64 * 1024;

type Claims = Map<String, Value>;

/// The id token of a job.
#[derive(Clone)]
pub struct IdToken {
    /// The token.
    pub token: Secret,
    /// Its claims. No signature is checked.
    pub claims: Claims,
    /// Whether the CI issued it just now, for this request.
    pub(crate) fresh: bool,
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdToken").finish_non_exhaustive()
    }
}

/// The reason why a token that the CI offers is not obtained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotGiven {
    why: String,
    /// Whether another request may succeed.
    transient: bool,
}

impl NotGiven {
    /// Returns whether another request may succeed.
    pub fn is_transient(&self) -> bool {
        self.transient
    }
}

impl fmt::Display for NotGiven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<String> for NotGiven {
    fn from(why: String) -> Self {
        Self {
            why,
            transient: false,
        }
    }
}

impl IdToken {
    /// Returns the job's token for the provider of these credentials; `None` if the CI gives none.
    /// The token is added to the masks.
    ///
    /// # Errors
    /// The reason why an offered token cannot be obtained.
    pub async fn of_the_job(
        variables: &Variables,
        origin: &Origin,
        masks: &Masks,
    ) -> Result<Option<Self>, NotGiven> {
        let issued = match github(variables, origin, masks).await? {
            Some(token) => Some(token),
            None => buildkite(variables, origin, masks).await?,
        };
        let fresh = issued.is_some();
        let token = match issued {
            Some(token) => Some(token),
            None => gitlab(variables, origin)?
                .map(str::to_owned)
                .or_else(|| in_file(origin)),
        };
        let Some((claims, token)) = token.and_then(|token| Some((claims_of(&token)?, token)))
        else {
            return Ok(None);
        };
        masks
            .add(&token)
            .map_err(|why| format!("the job's token: {why}"))?;
        Ok(Some(Self {
            token: Secret::new(token.as_str()),
            claims,
            fresh,
        }))
    }

    /// Returns whether the token has expired at this time, in seconds since 1970. A token that was
    /// issued just now has not, whatever this machine's clock says: the issuer and Google compare
    /// theirs.
    pub(crate) fn has_expired(&self, now: u64) -> bool {
        let end = self.claims.get("exp").and_then(Value::as_u64);
        !self.fresh && end.is_some_and(|end| end <= now)
    }
}

/// Returns the audience of a token that Google exchanges: by default the provider's name.
fn audience(origin: &Origin) -> Option<String> {
    origin
        .audience
        .as_ref()
        .map(|audience| format!("https:{audience}"))
}

/// Requests a token from GitHub, which issues one per request, for the requested audience ("OpenID
/// Connect reference", <https://docs.github.com/actions/reference/security/oidc>).
async fn github(
    variables: &Variables,
    origin: &Origin,
    masks: &Masks,
) -> Result<Option<String>, NotGiven> {
    let (Some(url), Some(bearer)) = (
        variables.get("ACTIONS_ID_TOKEN_REQUEST_URL"),
        variables.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    ) else {
        return Ok(None);
    };
    masks
        .add(bearer)
        .map_err(|why| format!("ACTIONS_ID_TOKEN_REQUEST_TOKEN: {why}"))?;
    let mut url: url::Url = url
        .parse()
        .map_err(|error| format!("ACTIONS_ID_TOKEN_REQUEST_URL is not a valid URL: {error}"))?;
    if let Some(audience) = audience(origin) {
        url.query_pairs_mut().append_pair("audience", &audience);
    }
    let request = |client: reqwest::Client| client.get(url).bearer_auth(bearer);
    ask("GitHub", "value", request).await.map(Some)
}

/// Requests a token from Buildkite, as `buildkite-agent oidc request-token` does
/// (<https://buildkite.com/docs/agent/v3/cli-oidc>).
async fn buildkite(
    variables: &Variables,
    origin: &Origin,
    masks: &Masks,
) -> Result<Option<String>, NotGiven> {
    let (Some(bearer), Some(job)) = (
        variables.get("BUILDKITE_AGENT_ACCESS_TOKEN"),
        variables.get("BUILDKITE_JOB_ID"),
    ) else {
        return Ok(None);
    };
    masks
        .add(bearer)
        .map_err(|why| format!("BUILDKITE_AGENT_ACCESS_TOKEN: {why}"))?;
    let base = variables.get("BUILDKITE_AGENT_ENDPOINT");
    let base = base
        .unwrap_or("https://agent.buildkite.com/v3")
        .trim_end_matches('/');
    let mut url: url::Url = base
        .parse()
        .map_err(|error| format!("BUILDKITE_AGENT_ENDPOINT is not a valid URL: {error}"))?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["jobs", job, "oidc", "tokens"]);
    }
    let body = match audience(origin) {
        Some(audience) => json!({ "audience": audience }),
        None => json!({}),
    };
    let request = |client: reqwest::Client| {
        let request = client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json");
        request
            .header(header::AUTHORIZATION, format!("Token {bearer}"))
            .body(body.to_string())
    };
    ask("Buildkite", "token", request).await.map(Some)
}

/// Sends a request for a token, and returns the token in this field of the answer.
async fn ask(
    ci: &str,
    field: &str,
    request: impl FnOnce(reqwest::Client) -> reqwest::RequestBuilder,
) -> Result<String, NotGiven> {
    // No answer, or half of one.
    let said = |error: reqwest::Error| NotGiven {
        why: error.without_url().to_string(),
        transient: true,
    };
    let client = transport::builder()
        .timeout(PATIENCE)
        .build()
        .map_err(said)?;
    let mut answer = request(client).send().await.map_err(said)?;
    let status = answer.status();
    if !status.is_success() {
        return Err(NotGiven {
            why: format!("{ci} answers HTTP {}", status.as_u16()),
            transient: status.is_server_error() || [408, 429].contains(&status.as_u16()),
        });
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(said)? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            return Err(format!("{ci}'s answer is too long").into());
        }
    }
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    match json[field].as_str() {
        Some(token) if claims_of(token).is_some() => Ok(token.to_owned()),
        _ => Err(format!("{ci}'s answer holds no token").into()),
    }
}

/// Finds the token of GitLab, which puts each token into a variable that the job names
/// (`id_tokens`); the issuer identifies it. A job's only token is taken for any provider, whose
/// audiences may be its own. Of several tokens, one for somebody else is never taken for Google's.
fn gitlab<'v>(variables: &'v Variables, origin: &Origin) -> Result<Option<&'v str>, NotGiven> {
    let Some(server) = variables.get("CI_SERVER_URL") else {
        return Ok(None);
    };
    let server = server.trim_end_matches('/');
    let tokens: Vec<(&str, &str, Claims)> = variables
        .all()
        .filter_map(|(name, value)| Some((name, value, claims_of(value)?)))
        .filter(|(_, _, claims)| {
            let issuer = claims.get("iss").and_then(Value::as_str);
            issuer.is_some_and(|issuer| issuer.trim_end_matches('/') == server)
        })
        .collect();
    let meant = |claims: &Claims| match (&origin.audience, claims.get("aud")) {
        (Some(audience), Some(Value::String(aud))) => aud.ends_with(audience.as_str()),
        (Some(audience), Some(Value::Array(all))) => all
            .iter()
            .filter_map(Value::as_str)
            .any(|aud| aud.ends_with(audience.as_str())),
        _ => false,
    };
    let found = tokens.iter().find(|(_, _, claims)| meant(claims));
    match (found, tokens.as_slice(), audience(origin)) {
        (Some((_, token, _)), _, _) | (None, [(_, token, _)], _) => Ok(Some(token)),
        // Without an audience, nothing is sent: the claims are displayed.
        (None, [(_, token, _), ..], None) => Ok(Some(token)),
        (None, [], _) => Ok(None),
        (None, several, Some(audience)) => {
            let of = |(name, _, claims): &(&str, &str, Claims)| {
                let aud = claims.get("aud").cloned().unwrap_or_default();
                format!("{name} is for {aud}")
            };
            let several: Vec<String> = several.iter().map(of).collect();
            Err(NotGiven::from(format!(
                "none of the job's {} tokens is for {audience}: {}",
                several.len(),
                several.join(", ")
            )))
        }
    }
}

/// Reads the token that an `external_account` takes from a file, as in other CIs.
fn in_file(origin: &Origin) -> Option<String> {
    let path = origin.token_file.as_ref()?;
    let text = given::read_text(path, LONGEST as u64).ok()?;
    Some(text.trim().to_owned())
}

/// Returns the claims of a JWT (RFC 7519). They are only displayed, so no signature is checked.
fn claims_of(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    if token.len() > LONGEST {
        return None;
    }
    let read = |part: &str| -> Option<Claims> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    read(header)?.contains_key("alg").then(|| read(payload))?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(claims))
    }

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let owned = |text: &&str| (*text).to_owned();
        pairs
            .iter()
            .map(|(name, value)| (owned(name), owned(value)))
            .collect()
    }

    #[tokio::test]
    async fn the_token_that_is_meant_for_the_provider_is_taken_and_masked() {
        let other = token(&json!({"iss": "https://gitlab.com", "aud": "vault", "sub": "a"}));
        let ours = token(&json!({"iss": "https://gitlab.com", "aud": "https://iam/p", "sub": "b"}));
        let foreign = token(&json!({"iss": "https://other", "aud": "https://iam/p", "sub": "c"}));
        let variables = variables(&[
            ("A", &foreign),
            ("B", &other),
            ("C", &ours),
            ("CI_SERVER_URL", "https://gitlab.com"),
        ]);
        let origin = Origin {
            audience: Some("//iam/p".to_owned()),
            ..Origin::default()
        };
        let masks = Masks::new();
        let found = IdToken::of_the_job(&variables, &origin, &masks).await;
        let found = found.expect("ok").expect("one");
        assert_eq!(found.claims["sub"], "b");
        assert!(!format!("{found:?}").contains(&ours));
        assert!(masks.found_in(&format!("it is {ours}")));
        let found = IdToken::of_the_job(&variables, &Origin::default(), &masks).await;
        assert_eq!(found.expect("ok").expect("one").claims["sub"], "a");
    }

    #[tokio::test]
    async fn of_several_tokens_only_the_one_for_the_provider_is_sent() {
        let of = |aud: &str| token(&json!({"iss": "https://gitlab.com", "aud": aud}));
        let (cloud, vault) = (of("sts.amazonaws.com"), of("vault"));
        let origin = Origin {
            audience: Some("//iam/p".to_owned()),
            ..Origin::default()
        };
        let masks = Masks::new();
        let server = ("CI_SERVER_URL", "https://gitlab.com");
        let both = variables(&[server, ("AWS_TOKEN", &cloud), ("VAULT_TOKEN", &vault)]);
        let refused = IdToken::of_the_job(&both, &origin, &masks).await;
        let refused = refused.expect_err("none is for the provider");
        assert_eq!(
            refused.to_string(),
            "none of the job's 2 tokens is for https://iam/p: AWS_TOKEN is for \
             \"sts.amazonaws.com\", VAULT_TOKEN is for \"vault\""
        );
        assert!(!refused.is_transient());
        // The provider may have audiences of its own.
        let only = variables(&[server, ("OIDC_TOKEN", &vault)]);
        let found = IdToken::of_the_job(&only, &origin, &masks).await;
        assert_eq!(found.expect("ok").expect("one").claims["aud"], "vault");
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        for text in ["", "a.b", "a.b.c", "..", "1.2.3", "127.0.0.1"] {
            assert_eq!(claims_of(text), None, "{text}");
        }
    }
}
