//! The credentials of registries, in the format of Docker's configuration file.
//!
//! The keys and their order are those of the library that kaniko uses (go-containerregistry,
//! `authn.DefaultKeychain`) and of Docker's command line (`cli/config/credentials`), so that the
//! runner finds what the build in the pod finds.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::Value;
use sidestep_contract::registry::{is_docker_hub, login_key};

/// The proof that a caller sends to a registry or to its token service.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// A user's name and password.
    Password {
        /// The name.
        user: String,
        /// The password, or a token in its place.
        password: String,
    },
    /// A refresh token for the registry's token service.
    Identity(String),
    /// A token for the registry itself.
    Bearer(String),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(…)")
    }
}

/// The reason why a document holds no credentials that can be used. It contains no text of the
/// document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotLogins {
    /// It is not a JSON object.
    #[error("it is not a JSON object")]
    NotJson,
    /// `auths` is not an object of objects.
    #[error("its `auths` is not a JSON object with an object for each registry")]
    NotAuths,
    /// An `auth` cannot be decoded.
    #[error("an `auth` in it is not base64 of USER:PASSWORD")]
    NotAuth,
    /// A field that must be a text is not.
    #[error("a user name, a password or a token in it is not a text")]
    NotText,
}

/// The credentials of registries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logins {
    by_key: BTreeMap<String, Login>,
    /// Each text that must be masked, also of the entries' unused fields.
    secrets: BTreeSet<String>,
}

impl Logins {
    /// Reads a document in the format of Docker's configuration file. Entries without credentials
    /// are left out; other keys than `auths` are ignored.
    ///
    /// # Errors
    /// The reason why it cannot be used.
    pub fn parse(text: &str) -> Result<Self, NotLogins> {
        let document: Value = serde_json::from_str(text).map_err(|_| NotLogins::NotJson)?;
        let document = document.as_object().ok_or(NotLogins::NotJson)?;
        let entries = match document.get("auths") {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(entries) => entries.as_object().ok_or(NotLogins::NotAuths)?,
        };
        let mut logins = Self::default();
        for (key, entry) in entries {
            if let Some(login) = logins.read(entry)? {
                logins.by_key.insert(key.clone(), login);
            }
        }
        Ok(logins)
    }

    /// Returns the credentials for a repository: the entry of the repository, or of its registry.
    pub fn find(&self, host: &str, path: &str) -> Option<&Login> {
        let keys = keys(host, path);
        keys.iter().find_map(|key| {
            let exact = self.by_key.get(key);
            exact.or_else(|| {
                let mut all = self.by_key.iter();
                all.find_map(|(known, login)| (host_of(known) == key).then_some(login))
            })
        })
    }

    /// Returns each text that must be masked: every password, token and `auth`.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(String::as_str)
    }

    /// Reads an entry, and notes its secrets.
    fn read(&mut self, entry: &Value) -> Result<Option<Login>, NotLogins> {
        let entry = entry.as_object().ok_or(NotLogins::NotAuths)?;
        let text = |name: &str| match entry.get(name) {
            None | Some(Value::Null) => Ok(""),
            Some(value) => value.as_str().ok_or(NotLogins::NotText),
        };
        let (bearer, identity) = (text("registrytoken")?, text("identitytoken")?);
        let (user, password, auth) = (text("username")?, text("password")?, text("auth")?);
        let mut pair = (user.to_owned(), password.to_owned());
        if !auth.is_empty() {
            pair = decoded(auth)?;
        }
        for secret in [bearer, identity, password, auth, &pair.1] {
            if !secret.is_empty() {
                self.secrets.insert(secret.to_owned());
            }
        }
        // The order of go-containerregistry's transport.
        Ok(if !bearer.is_empty() {
            Some(Login::Bearer(bearer.to_owned()))
        } else if !identity.is_empty() {
            Some(Login::Identity(identity.to_owned()))
        } else if pair.1.is_empty() {
            None
        } else {
            let (user, password) = pair;
            Some(Login::Password { user, password })
        })
    }
}

/// Returns the keys under which a repository's credentials are searched, in their order.
fn keys(host: &str, path: &str) -> [String; 2] {
    let own = if is_docker_hub(host) {
        "index.docker.io"
    } else {
        host
    };
    [format!("{own}/{path}"), login_key(host).to_owned()]
}

/// Returns the host of a key that is a URL (Docker, `ConvertToHostname`).
fn host_of(key: &str) -> &str {
    let bare = key.strip_prefix("https://");
    let bare = bare.or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    bare.split('/').next().unwrap_or(bare)
}

/// Decodes an `auth`. Docker also reads it without padding, and removes zero bytes from the end.
fn decoded(auth: &str) -> Result<(String, String), NotLogins> {
    let bytes = STANDARD
        .decode(auth)
        .or_else(|_| STANDARD_NO_PAD.decode(auth.trim_end_matches('=')));
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or(NotLogins::NotAuth)?;
    let (user, password) = text.split_once(':').ok_or(NotLogins::NotAuth)?;
    let password = password.trim_end_matches('\0');
    Ok((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: &Value) -> Result<Logins, NotLogins> {
        Logins::parse(&document.to_string())
    }

    fn password(user: &str, password: &str) -> Login {
        Login::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    #[test]
    fn each_form_of_an_entry_is_read() {
        let logins = read(&json!({ "auths": {
            "one.example": { "auth": STANDARD.encode("ci:pa:ss") },
            "two.example": { "username": "ci", "password": "word" },
            "three.example": { "auth": STANDARD.encode("ci:old"), "identitytoken": "refresh" },
            "four.example": { "registrytoken": "bearer", "identitytoken": "refresh" },
            "five.example": { "auth": STANDARD.encode("ci:word\0\0").trim_end_matches('=') },
            "six.example": {},
        }, "credsStore": "desktop" }))
        .expect("logins");
        for (host, login) in [
            ("one.example", Some(password("ci", "pa:ss"))),
            ("two.example", Some(password("ci", "word"))),
            ("three.example", Some(Login::Identity("refresh".to_owned()))),
            ("four.example", Some(Login::Bearer("bearer".to_owned()))),
            ("five.example", Some(password("ci", "word"))),
            ("six.example", None),
            ("seven.example", None),
        ] {
            assert_eq!(logins.find(host, "team/app"), login.as_ref(), "{host}");
        }
        assert_eq!(
            format!("{:?}", logins.find("two.example", "a")),
            "Some(Login(…))"
        );
    }

    #[test]
    fn a_repository_s_entry_comes_before_its_registry_s_and_urls_are_hosts() {
        let entry = |word: &str| json!({ "username": "ci", "password": word });
        let logins = read(&json!({ "auths": {
            "ghcr.io": entry("host"),
            "ghcr.io/team/app": entry("repository"),
            "https://registry.example.com:5000/v2/": entry("url"),
            "https://index.docker.io/v1/": entry("hub"),
        }}))
        .expect("logins");
        for (host, path, word) in [
            ("ghcr.io", "team/app", Some("repository")),
            ("ghcr.io", "team/other", Some("host")),
            ("registry.example.com:5000", "a", Some("url")),
            ("registry.example.com", "a", None),
            ("docker.io", "library/python", Some("hub")),
            ("index.docker.io", "team/app", Some("hub")),
            ("evil-ghcr.io", "team/app", None),
        ] {
            let found = logins.find(host, path);
            assert_eq!(
                found,
                word.map(|word| password("ci", word)).as_ref(),
                "{host}"
            );
        }
        // kaniko does not find Docker Hub's entry under its host.
        let wrong = read(&json!({ "auths": { "docker.io": entry("hub") } })).expect("logins");
        assert_eq!(wrong.find("docker.io", "library/python"), None);
    }

    #[test]
    fn what_must_be_masked_is_every_password_token_and_auth() {
        let auth = STANDARD.encode("ci:hunter22");
        let logins = read(&json!({ "auths": {
            "one.example": { "auth": auth },
            "two.example": { "identitytoken": "refresh-token" },
            "three.example": { "registrytoken": "bearer-token" },
        }}));
        let logins = logins.expect("logins");
        let expected = BTreeSet::from([&*auth, "bearer-token", "hunter22", "refresh-token"]);
        assert_eq!(logins.secrets().collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn a_document_without_credentials_says_why_and_shows_none_of_its_text() {
        for (document, why) in [
            (json!("hunter22"), NotLogins::NotJson),
            (json!([]), NotLogins::NotJson),
            (json!({ "auths": "hunter22" }), NotLogins::NotAuths),
            (json!({ "auths": { "a": "hunter22" } }), NotLogins::NotAuths),
            (
                json!({ "auths": { "a": { "auth": "hunter22!" } } }),
                NotLogins::NotAuth,
            ),
            (
                json!({ "auths": { "a": { "auth": STANDARD.encode("hunter22") } } }),
                NotLogins::NotAuth,
            ),
            (
                json!({ "auths": { "a": { "password": 7 } } }),
                NotLogins::NotText,
            ),
        ] {
            let found = read(&document).expect_err("it is none");
            assert_eq!(found, why, "{document}");
            assert!(!found.to_string().contains("hunter22"));
        }
        assert_eq!(Logins::parse("{"), Err(NotLogins::NotJson));
        assert_eq!(read(&json!({})), Ok(Logins::default()));
    }
}
