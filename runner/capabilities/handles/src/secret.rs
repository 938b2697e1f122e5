use std::any::Any;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sidestep_events::{Class, Failure, Owner, codes};

/// A secret's text, held by the host. A plugin has a handle and never the text.
#[derive(Clone)]
pub struct Secret {
    text: Arc<str>,
    /// Dropped with the last handle.
    _kept: Option<Arc<dyn Any + Send + Sync>>,
}

impl Secret {
    /// Creates a secret. The caller adds it to the run's masks.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            _kept: None,
        }
    }

    /// Drops `kept`, such as the secret's share of a budget, with the last handle.
    #[must_use]
    pub fn keeping(self, kept: impl Any + Send + Sync) -> Self {
        Self {
            text: self.text,
            _kept: Some(Arc::new(kept)),
        }
    }

    /// Returns the text, only for the client that sends it.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The way [`compose`] combines the parts into one secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The concatenated parts.
    Plain,
    /// `Basic` credentials of user and password (RFC 7617).
    Basic,
    /// The concatenated parts, in standard base64.
    Base64,
    /// The concatenated parts, as a JSON string.
    JsonString,
    /// HMAC with SHA-256 (RFC 2104) in hex; the first part is the key.
    HmacSha256,
}

/// Combines texts into a secret.
pub fn compose(parts: &[&str], encoding: Encoding) -> Result<Secret, Failure> {
    let text = match encoding {
        Encoding::Plain => parts.concat(),
        Encoding::Base64 => STANDARD.encode(parts.concat()),
        Encoding::JsonString => serde_json::Value::from(parts.concat()).to_string(),
        Encoding::Basic => match parts {
            [user, _] if user.contains(':') => {
                return Err(wrong(
                    "a user name of `basic` can't hold a colon (RFC 7617)",
                ));
            }
            [user, password] => format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
            _ => return Err(wrong("`basic` takes two parts, user and password")),
        },
        Encoding::HmacSha256 => match parts {
            [key, message @ ..] => {
                let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
                    .map_err(|_| wrong("`hmac-sha256` can't use that key"))?;
                for part in message {
                    mac.update(part.as_bytes());
                }
                hex::encode(mac.finalize().into_bytes())
            }
            [] => return Err(wrong("`hmac-sha256` takes a key and a message")),
        },
    };
    Ok(Secret::new(text))
}

fn wrong(message: &str) -> Failure {
    Failure::new(
        Class::InvalidInput,
        codes::secret::COMPOSE,
        Owner::Plugin,
        message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_composed() {
        let text = |parts: &[&str], encoding| {
            compose(parts, encoding).map(|secret| secret.expose().to_owned())
        };
        assert_eq!(
            text(&["Bearer ", "t"], Encoding::Plain).expect("ok"),
            "Bearer t"
        );
        // RFC 7617, section 2.
        assert_eq!(
            text(&["Aladdin", "open sesame"], Encoding::Basic).expect("ok"),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(
            text(&["a\"", "b"], Encoding::JsonString).expect("ok"),
            r#""a\"b""#
        );
        // RFC 4231, test case 2.
        assert_eq!(
            text(
                &["Jefe", "what do ya ", "want for nothing?"],
                Encoding::HmacSha256
            )
            .expect("ok"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert!(text(&["a:b", "c"], Encoding::Basic).is_err());
        assert!(text(&[], Encoding::HmacSha256).is_err());
    }

    #[test]
    fn no_debug_output_holds_the_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter22")), "Secret(…)");
    }
}
