//! Fuzz targets for a registry's answers.

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};

use super::challenge::{Bearer, Challenge, Insecure, header};
use super::docker;
use super::failure::of_answer;
use super::index;
use super::reference::{Image, Repository};
use sidestep_gate::Logins;

/// A target: its name, the reader, and the seed inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The targets of this crate.
pub const TARGETS: [Target; 1] = [("capabilities-registry-answer", answer, answers)];

/// Reads a challenge, a token, an index, a manifest, an error answer, and a reference.
fn answer(bytes: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]);
        if let Some(Challenge::Bearer(challenge)) = Challenge::of(&headers)
            && let Some(url) = challenge.service(Insecure::Never)
        {
            assert_eq!(url.scheme(), "https", "no token without TLS");
        }
    }
    if let Some(token) = Bearer::token(bytes)
        && let Some(headers) = header("Bearer", &token)
    {
        assert!(headers.values().all(HeaderValue::is_sensitive));
    }
    for status in [400, 401, 403, 404, 429, 500] {
        let failure = of_answer("look", status, bytes);
        assert!(!failure.message.is_empty());
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(image) = Image::parse(&text) {
        let written = image.to_string();
        assert_eq!(Image::parse(&written).ok(), Some(image), "{written}");
    }
    let _ = Repository::parse(&text);
    index::read_any(bytes);
    if let Ok(logins) = Logins::parse(&text) {
        let _ = logins.find("ghcr.io", "a/b");
    }
    let _ = docker::of_helper(bytes);
}

fn answers() -> Vec<Vec<u8>> {
    [
        r#"Bearer realm="https://auth.example/token",service="r.example",scope="repository:a/b:pull,push""#,
        r#"{"token":"t","access_token":"u","expires_in":300}"#,
        r#"{"errors":[{"code":"NAME_UNKNOWN","message":"Repository \"x\" not found","detail":{}}]}"#,
        r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":1,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]}"#,
        r#"{"auths":{"ghcr.io":{"auth":"Y2k6aHVudGVyMjI="},"https://index.docker.io/v1/":{"identitytoken":"t"}}}"#,
        r#"{"ServerURL":"ghcr.io","Username":"<token>","Secret":"t"}"#,
        r#"{"schemaVersion":2,"config":{"digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000"}}"#,
        "europe-docker.pkg.dev/p/r/i:t@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

#[cfg(test)]
mod tests {
    #[test]
    fn strangers_bytes_are_read_without_harm() {
        super::TARGETS
            .into_iter()
            .for_each(sidestep_mutations::check);
    }
}
