//! A registry's challenge, and the anonymous token that it leads to
//! (<https://distribution.github.io/distribution/spec/auth/token/>).

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};
use reqwest::Url;
use serde::Deserialize;

/// The challenge of a registry to a request without credentials.
#[derive(Debug)]
pub(super) struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    /// Reads a `Bearer` challenge; other kinds cannot be met without credentials.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(WWW_AUTHENTICATE)?.to_str().ok()?;
        let (scheme, mut rest) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        // Values are quoted, and a scope has commas of its own.
        while let Some((name, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"')?;
            match name.trim_matches([' ', ',']) {
                "realm" => realm = Some(value.to_owned()),
                "service" => service = Some(value.to_owned()),
                "scope" => scope = Some(value.to_owned()),
                _ => {}
            }
            rest = after;
        }
        Some(Self {
            realm: realm?,
            service,
            scope,
        })
    }

    /// Returns the URL of the token. Without TLS only if the operator set the registry's address.
    pub(super) fn url(&self, repository: &str, insecure: bool) -> Option<Url> {
        let mut url: Url = self.realm.parse().ok()?;
        if url.scheme() != "https" && !(insecure && url.scheme() == "http") {
            return None;
        }
        let pull = format!("repository:{repository}:pull");
        let mut query = url.query_pairs_mut();
        if let Some(service) = &self.service {
            query.append_pair("service", service);
        }
        query.append_pair("scope", self.scope.as_deref().unwrap_or(&pull));
        drop(query);
        Some(url)
    }

    /// Returns the header from a token service's answer.
    pub(super) fn authorization(answer: &[u8]) -> Option<HeaderMap> {
        /// Some services use the one name, some the other.
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
        }
        let answer: Answer = serde_json::from_slice(answer).ok()?;
        let token = answer.token.or(answer.access_token)?;
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        Some(HeaderMap::from_iter([(AUTHORIZATION, value)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(text: &'static str) -> Option<Challenge> {
        let header = (WWW_AUTHENTICATE, HeaderValue::from_static(text));
        Challenge::of(&HeaderMap::from_iter([header]))
    }

    #[test]
    fn a_challenge_leads_to_its_token_service() {
        let asked = challenge(
            "Bearer realm=\"https://auth.example/token\",service=\"r.example\",scope=\"repository:a/b:pull,push\"",
        );
        let url = asked.expect("a challenge").url("a/b", false);
        assert_eq!(
            url.expect("a URL").as_str(),
            "https://auth.example/token?service=r.example&scope=repository%3Aa%2Fb%3Apull%2Cpush"
        );
        let short = challenge("bearer realm=\"https://auth.example/token?x=1\"");
        let url = short.expect("a challenge").url("a/b", false);
        assert_eq!(
            url.expect("a URL").as_str(),
            "https://auth.example/token?x=1&scope=repository%3Aa%2Fb%3Apull"
        );
    }

    #[test]
    fn no_token_is_fetched_without_tls_or_from_elsewhere_than_the_web() {
        for realm in [
            "Bearer realm=\"http://a/t\"",
            "Bearer realm=\"file:///etc\"",
        ] {
            let asked = challenge(realm).expect("a challenge");
            assert_eq!(asked.url("a", false), None);
        }
        for other in [
            "Basic realm=\"x\"",
            "Bearer",
            "Bearer realm",
            "Bearer realm=\"x",
        ] {
            assert!(challenge(other).is_none(), "{other}");
        }
    }
}
