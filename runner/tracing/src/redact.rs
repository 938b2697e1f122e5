//! Removes secrets from lines of any origin.

use std::borrow::Cow;
use std::sync::Arc;

use regex::Regex;
use serde_json::Value;

/// The replacement of a secret.
const GONE: &str = "***";

/// The names whose values are secrets, as fields of JSON, of forms, of queries and of debug output;
/// `_` stands for `_`, `-` or nothing. They include the signatures of URLs (Google's V4, AWS' V4,
/// Azure's SAS) and the names of upload sessions, which are all that is needed to write to one.
const NAMES: &[&str] = &[
    "access_token",
    "id_token",
    "refresh_token",
    "subject_token",
    "actor_token",
    "session_token",
    "bearer_token",
    "token",
    "jwt",
    "assertion",
    "client_assertion",
    "client_secret",
    "client_key_data",
    "private_key",
    "password",
    "passwd",
    "api_key",
    "code_verifier",
    "x_goog_signature",
    "x_goog_security_token",
    "x_amz_signature",
    "x_amz_security_token",
    "signature",
    "sig",
    "upload_id",
];

/// The headers whose whole value is secret.
const HEADERS: &[&str] = &[
    "authorization",
    "proxy_authorization",
    "cookie",
    "set_cookie",
    "x_goog_iam_authorization_token",
    "x_serverless_authorization",
];

/// Removes known secrets from a text.
type Mask = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Removes secrets from lines: those that a run knows, and texts that look like one.
///
/// A log of libraries needs the second: a token may be created inside a library and never pass
/// through our code. It removes HTTP credentials (RFC 9110), cookies, JSON Web Tokens, Google's
/// access tokens, private keys, passwords in URLs, and the values of fields whose names show that
/// they are secret.
#[derive(Clone)]
pub struct Redactor {
    known: Mask,
    looks: Arc<[(Regex, &'static str)]>,
    secret_name: Regex,
}

impl Redactor {
    /// Creates a redactor. `known` removes the secrets that the run knows.
    pub fn new(known: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let names = alternatives(NAMES);
        let headers = alternatives(HEADERS);
        // A value in quotes that are escaped once or more, in quotes, or without any.
        let value = r#"(?:\\+"[^"\\]*|"(?:[^"\\]|\\.)*"?|[^\s,;&})"\]]+)"#;
        // The types that Rust's debug output puts around a value: `Some(Token("…`.
        let types = r"(?:[A-Za-z_:]+\()*";
        let looks = [
            (
                r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)"
                    .to_owned(),
                GONE,
            ),
            (
                // The end of an unquoted header's value is unknown.
                format!(
                    r#"(?i)\b({headers})(\\*"?\s*(?:[:=]|,\s*value:)\s*{types}|\\*"\s*,\s*)(?:\\+"[^"\\]*|"(?:[^"\\]|\\.)*"?|[^"].*)"#
                ),
                "${1}${2}***",
            ),
            (
                // `CI_JOB_TOKEN` and `serviceAccountToken` are tokens as well.
                format!(r#"(?i)\b([a-z0-9_-]*(?:{names}))(\\*"?\s*[:=]\s*{types}|\({types}){value}"#),
                "${1}${2}***",
            ),
            (
                r"(?i)\b(bearer|basic|negotiate)(\s+|%20|\+)[a-z0-9._~+/=-]{6,}".to_owned(),
                "${1}${2}***",
            ),
            (
                r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?".to_owned(),
                GONE,
            ),
            (r"\bya29\.[A-Za-z0-9._-]+".to_owned(), GONE),
            (
                r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/?#@]+@".to_owned(),
                "${1}***@",
            ),
        ];
        Self {
            known: Arc::new(known),
            looks: looks
                .into_iter()
                .map(|(look, instead)| (regex(&format!("(?s){look}")), instead))
                .collect(),
            secret_name: regex(&format!("^(?i:[a-z0-9_-]*(?:{names})|{headers})$")),
        }
    }

    /// Returns the text without secrets.
    pub fn text(&self, text: &str) -> String {
        let mut text = (self.known)(text);
        for (look, instead) in self.looks.iter() {
            if let Cow::Owned(without) = look.replace_all(&text, *instead) {
                text = without;
            }
        }
        text
    }

    /// Removes the secrets from every text, number and key of a JSON value.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Number(number) => {
                let text = number.to_string();
                let without = self.text(&text);
                if without != text {
                    *value = without.into();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => {
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(name, mut value)| {
                        if self.secret_name.is_match(&name) {
                            value = GONE.into();
                        } else {
                            self.value(&mut value);
                        }
                        (self.text(&name), value)
                    })
                    .collect();
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

fn alternatives(names: &[&str]) -> String {
    let names: Vec<_> = names
        .iter()
        .map(|name| name.replace('_', "[_-]?"))
        .collect();
    names.join("|")
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns are constants that every test compiles")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(|text| text.replace("hunter2", "***"))
    }

    #[test]
    fn what_looks_like_a_secret_is_taken_out() {
        for (text, without) in [
            ("the known hunter2 goes", "the known *** goes"),
            (
                "authorization: Bearer s3cr3t-s3cr3t x",
                "authorization: ***",
            ),
            (
                r#""authorization": "Bearer s3cr3t", "accept": "*/*""#,
                r#""authorization": ***, "accept": "*/*""#,
            ),
            (
                r#"Header { name: "cookie", value: "a=s3cr3t; b=s3cr3t" }"#,
                r#"Header { name: "cookie", value: *** }"#,
            ),
            ("set-cookie: s=s3cr3t; Path=/", "set-cookie: ***"),
            (
                r#"[("cookie", "a=s3cr3t"), ("x", "y")]"#,
                r#"[("cookie", ***), ("x", "y")]"#,
            ),
            (
                r#"Answer { access_token: Some("s3cr3t"), expires_in: 1 }"#,
                "Answer { access_token: Some(***), expires_in: 1 }",
            ),
            (
                r#"Url { username: "u", password: Some("s3cr3t"), port: None }"#,
                r#"Url { username: "u", password: Some(***), port: None }"#,
            ),
            (r#"auth=Token("s3cr3t") next"#, "auth=Token(***) next"),
            (
                r#"token: Some(Secret("s3cr3t"))"#,
                "token: Some(Secret(***))",
            ),
            (
                r#"Authorization: Some("Bearer s3cr3t")"#,
                "Authorization: Some(***)",
            ),
            (
                "env CI_JOB_TOKEN=s3cr3t DB_PASSWORD=s3cr3t x",
                "env CI_JOB_TOKEN=*** DB_PASSWORD=*** x",
            ),
            (
                r#"{"serviceAccountToken":"s3cr3t"}"#,
                r#"{"serviceAccountToken":***}"#,
            ),
            (
                r#"{"access_token":"s3cr3t","expires_in":3599}"#,
                r#"{"access_token":***,"expires_in":3599}"#,
            ),
            (
                r#"body="{\"accessToken\":\"s3cr3t\",\"x\":1}""#,
                r#"body="{\"accessToken\":***\",\"x\":1}""#,
            ),
            (
                "grant=x&subject_token=s3cr3t&audience=y",
                "grant=x&subject_token=***&audience=y",
            ),
            (
                "sent with Bearer s3cr3t-s3cr3t, ok",
                "sent with Bearer ***, ok",
            ),
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic ***"),
            (
                "a eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.s3cr3t-sig b",
                "a *** b",
            ),
            ("ya29.c.s3cr3t_x-y", "***"),
            ("https://user:s3cr3t@host/p", "https://***@host/p"),
            (
                "https://h/b/o?X-Goog-Credential=c&X-Goog-Signature=s3cr3t&x=1",
                "https://h/b/o?X-Goog-Credential=c&X-Goog-Signature=***&x=1",
            ),
            (
                "PUT /upload?uploadType=resumable&upload_id=s3cr3t HTTP",
                "PUT /upload?uploadType=resumable&upload_id=*** HTTP",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----\nrest",
                "***\nrest",
            ),
            (
                r#"key="-----BEGIN RSA PRIVATE KEY-----\ns3cr3t"#,
                r#"key="***"#,
            ),
        ] {
            assert_eq!(redactor().text(text), without, "{text}");
        }
    }

    #[test]
    fn other_texts_stay() {
        for text in [
            "an answer was lost; the object is sent again error=connection reset what=\"write gs://b/o\"",
            "starting new connection: https://storage.googleapis.com/",
            "tokens are refreshed by the library",
            "http.method=GET http.url=https://127.0.0.1:1/api/v1/namespaces/ci/pods?limit=500",
            "image europe-docker.pkg.dev/p/r/app@sha256:00",
        ] {
            assert_eq!(redactor().text(text), text);
        }
    }

    #[test]
    fn json_is_redacted_by_its_fields_and_stays_json() {
        let mut value = json!({
            "fields": {"token": {"deep": 1}, "count": 3, "message": "Bearer s3cr3t-s3cr3t", "hunter2": true},
            "spans": [{"Authorization": "x", "CI_JOB_TOKEN": "y"}, null],
        });
        redactor().value(&mut value);
        assert_eq!(
            value,
            json!({
                "fields": {"token": "***", "count": 3, "message": "Bearer ***", "***": true},
                "spans": [{"Authorization": "***", "CI_JOB_TOKEN": "***"}, null],
            })
        );
    }
}
