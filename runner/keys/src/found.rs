//! The results of a search.

/// The kind of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The JSON key of a Google service account.
    ServiceAccountKey,
    /// The refresh token of a user of gcloud (`authorized_user`, `external_account_authorized_user`).
    UserCredentials,
    /// A configuration for workload identity federation (`external_account`): not a key.
    ExternalAccount,
    /// A private key in PEM form, of which nothing says what it is for.
    PrivateKey,
    /// A PKCS #12 archive, the form of Google's older keys.
    Pkcs12,
}

impl Kind {
    /// Returns the contract's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAccountKey => "service-account-key",
            Self::UserCredentials => "user-credentials",
            Self::ExternalAccount => "external-account",
            Self::PrivateKey => "private-key",
            Self::Pkcs12 => "pkcs12",
        }
    }
}

/// The facts that a credential tells about itself. Each text has the shape of its kind, so that none holds a
/// part of the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The kind.
    pub kind: Kind,
    /// The account's address (`client_email`).
    pub email: Option<String>,
    /// The key's id (`private_key_id`).
    pub key_id: Option<String>,
    /// The account's project (`project_id`).
    pub project: Option<String>,
    /// The registry whose password it is.
    pub registry: Option<String>,
    /// The line of the text that it begins on, from 1.
    pub line: u32,
}

/// A credential at one place of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The place: the name of a Secret's entry, or the path of a field.
    pub entry: String,
    /// The credential.
    pub key: Key,
}

/// The credentials in some bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The credentials, in their order.
    pub keys: Vec<Key>,
    /// The secret texts in them, to be masked. They must not leave the host.
    pub secrets: Vec<String>,
    /// Whether there may be more: too many keys, or something too deep to be looked at.
    pub truncated: bool,
}
