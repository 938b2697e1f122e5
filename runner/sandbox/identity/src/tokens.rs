//! Tokens: opaque, short-lived, stored as digests.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use sidestep_sandbox_base::random_bytes;

use crate::identity::Identity;
use crate::state::{Attributes, State, TokenKind, TokenRecord};
use crate::{Caller, InvalidToken};

/// The default lifetime of a token.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The lifetime of the developer's tokens, which covers the likely use of a sandbox.
pub const DEVELOPER_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A newly issued token.
#[derive(Clone)]
pub struct Token {
    /// The secret itself.
    pub secret: String,
    /// The expiry time.
    pub expires: Timestamp,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Issues an access token for a member (`user:…`, `serviceAccount:…`, `principal://…`).
    pub fn mint(&self, member: &str) -> Token {
        self.mint_for(member, LIFETIME)
    }

    /// Issues an access token with a given lifetime.
    pub fn mint_for(&self, member: &str, lifetime: SignedDuration) -> Token {
        self.issue(member, lifetime, TokenKind::Access, "ya29.sandbox-")
    }

    /// Issues a subject token that proves to the token exchange that its holder is `member`. No API
    /// accepts it.
    pub fn mint_subject(&self, member: &str) -> Token {
        self.issue(
            member,
            DEVELOPER_LIFETIME,
            TokenKind::Subject,
            "subject.sandbox-",
        )
    }

    /// Issues an access token for a federated principal, and stores the principal's attributes.
    pub fn mint_federated(
        &self,
        principal: &str,
        attributes: Attributes,
        lifetime: SignedDuration,
    ) -> Token {
        self.write(|state| state.federated.insert(principal.to_owned(), attributes));
        self.mint_for(principal, lifetime)
    }

    /// Returns the member of a subject token.
    pub fn subject(&self, secret: &str) -> Result<String, InvalidToken> {
        self.lookup(secret, TokenKind::Subject)
            .map(|record| record.member)
    }

    pub(crate) fn judge(&self, secret: &str) -> Result<Caller, InvalidToken> {
        let Ok(record) = self.lookup(secret, TokenKind::Access) else {
            let account = self.signed_bearer(secret).ok_or(InvalidToken)?;
            return Ok(Caller::Member(format!("serviceAccount:{}", account.email)));
        };
        if let Some(email) = record.member.strip_prefix("serviceAccount:") {
            let usable = self.read(|s| s.live_account(email).is_some_and(|a| !a.disabled));
            if !usable {
                return Err(InvalidToken);
            }
        }
        Ok(Caller::Member(record.member))
    }

    fn lookup(&self, secret: &str, kind: TokenKind) -> Result<TokenRecord, InvalidToken> {
        let now = self.clock().now();
        let found = self.read(|state| state.tokens.get(&digest(secret)).cloned());
        found
            .filter(|r| r.kind == kind && r.expires > now)
            .ok_or(InvalidToken)
    }

    fn issue(
        &self,
        member: &str,
        lifetime: SignedDuration,
        kind: TokenKind,
        prefix: &str,
    ) -> Token {
        let now = self.clock().now();
        let expires = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
        let secret = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random_bytes::<32>()));
        let record = TokenRecord {
            member: member.to_owned(),
            expires,
            kind,
        };
        self.write(|state: &mut State| {
            state.tokens.retain(|_, record| record.expires > now);
            state.tokens.insert(digest(&secret), record);
        });
        Token { secret, expires }
    }
}

fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
