//! Access tokens of the pod's identity.

use serde::Deserialize;

/// An access token, which is never shown in messages.
#[derive(Clone, Deserialize)]
pub(crate) struct Token {
    access_token: String,
}

/// The reason why there is no token, in the words of the library that kaniko uses.
pub(crate) enum NoToken {
    /// There is no metadata server, and so no identity.
    NoCredentials,
    /// The credentials file that the environment names cannot be used.
    Unusable(String),
    /// The metadata server refused the request.
    Refused(String),
}

impl Token {
    pub(crate) fn secret(&self) -> &str {
        &self.access_token
    }
}
