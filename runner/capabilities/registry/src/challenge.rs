//! A registry's challenge, and the token service that it names
//! (<https://distribution.github.io/distribution/spec/auth/token/>).

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};
use reqwest::Url;
use serde::Deserialize;
use sidestep_contract::registry::is_this_machine;

/// The challenge of a registry to a request without credentials.
#[derive(Debug)]
pub(super) enum Challenge {
    /// A token of a token service.
    Bearer(Bearer),
    /// A user name and a password (RFC 7617).
    Basic,
}

/// The token service that a registry names.
#[derive(Debug)]
pub(super) struct Bearer {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    /// Reads the challenges of an answer; a token service comes before a password.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        let bearer = values.iter().find_map(|value| Bearer::read(value));
        let is_basic = |value: &&str| {
            let scheme = value.split(' ').next().unwrap_or_default();
            scheme.eq_ignore_ascii_case("basic")
        };
        bearer
            .map(Self::Bearer)
            .or_else(|| values.iter().any(is_basic).then_some(Self::Basic))
    }
}

impl Bearer {
    fn read(value: &str) -> Option<Self> {
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

    /// Returns the address of the token service, to which the parameters are added. Without TLS only
    /// if `insecure`: the operator set the registry's address, or both are on this machine.
    pub(super) fn service(&self, insecure: Insecure) -> Option<Url> {
        let url: Url = self.realm.parse().ok()?;
        let host = url.host_str().unwrap_or_default();
        let plain = match insecure {
            Insecure::Never => false,
            Insecure::OnThisMachine => is_this_machine(host),
            Insecure::Always => true,
        };
        (url.scheme() == "https" || (plain && url.scheme() == "http")).then_some(url)
    }

    /// Returns the parameters of a request for a token.
    pub(super) fn parameters(&self, repository: &str) -> Vec<(&'static str, String)> {
        let pull = || format!("repository:{repository}:pull");
        let service = self.service.iter().cloned();
        let mut parameters: Vec<_> = service.map(|service| ("service", service)).collect();
        parameters.push(("scope", self.scope.clone().unwrap_or_else(pull)));
        parameters
    }

    /// Returns the token in a token service's answer.
    pub(super) fn token(answer: &[u8]) -> Option<String> {
        /// Some services use the one name, some the other.
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
        }
        let answer: Answer = serde_json::from_slice(answer).ok()?;
        answer.token.or(answer.access_token)
    }
}

/// The token services that may be called without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Insecure {
    /// None.
    Never,
    /// Those of this machine.
    OnThisMachine,
    /// All.
    Always,
}

/// Returns a header that no log shows; `None` if the value does not fit into one.
pub(super) fn header(scheme: &str, value: &str) -> Option<HeaderMap> {
    let mut value = HeaderValue::try_from(format!("{scheme} {value}")).ok()?;
    value.set_sensitive(true);
    Some(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(text: &'static str) -> Option<Challenge> {
        let header = (WWW_AUTHENTICATE, HeaderValue::from_static(text));
        Challenge::of(&HeaderMap::from_iter([header]))
    }

    fn bearer(text: &'static str) -> Bearer {
        match challenge(text) {
            Some(Challenge::Bearer(bearer)) => bearer,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_challenge_leads_to_its_token_service() {
        let asked = bearer(
            "Bearer realm=\"https://auth.example/token\",service=\"r.example\",scope=\"repository:a/b:pull,push\"",
        );
        let url = asked.service(Insecure::Never).expect("a URL");
        assert_eq!(url.as_str(), "https://auth.example/token");
        assert_eq!(
            asked.parameters("a/b"),
            [
                ("service", "r.example".to_owned()),
                ("scope", "repository:a/b:pull,push".to_owned())
            ]
        );
        let short = bearer("bearer realm=\"https://auth.example/token?x=1\"");
        let url = short.service(Insecure::Never).expect("a URL");
        assert_eq!(url.as_str(), "https://auth.example/token?x=1");
        let pull = ("scope", "repository:a/b:pull".to_owned());
        assert_eq!(short.parameters("a/b"), [pull]);
    }

    #[test]
    fn no_token_is_fetched_without_tls_or_from_elsewhere_than_the_web() {
        for (realm, on_this_machine, always) in [
            ("Bearer realm=\"http://a/t\"", false, true),
            ("Bearer realm=\"http://127.0.0.1:5001/t\"", true, true),
            ("Bearer realm=\"file:///etc\"", false, false),
        ] {
            let asked = bearer(realm);
            let is = |insecure| asked.service(insecure).is_some();
            assert!(!is(Insecure::Never), "{realm}");
            assert_eq!(is(Insecure::OnThisMachine), on_this_machine, "{realm}");
            assert_eq!(is(Insecure::Always), always, "{realm}");
        }
        for other in [
            "Digest realm=\"x\"",
            "Bearer",
            "Bearer realm",
            "Bearer realm=\"x",
        ] {
            assert!(challenge(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_token_service_comes_before_a_password() {
        let basic = || {
            (
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"x\""),
            )
        };
        let token = HeaderValue::from_static("Bearer realm=\"https://a/t\"");
        let mut headers = HeaderMap::from_iter([basic()]);
        assert!(matches!(Challenge::of(&headers), Some(Challenge::Basic)));
        headers.append(WWW_AUTHENTICATE, token);
        assert!(matches!(
            Challenge::of(&headers),
            Some(Challenge::Bearer(_))
        ));
    }

    #[test]
    fn no_header_is_made_of_a_text_with_line_ends() {
        assert_eq!(header("Bearer", "a\r\nhost: b"), None);
        assert!(
            header("Basic", "YTpi").is_some_and(|all| all.values().all(HeaderValue::is_sensitive))
        );
    }
}
