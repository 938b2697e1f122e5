//! The start of a tunnel. Every process of a node reaches the relay's port, so the sandbox shows
//! that it is the one that installed the relay.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use sidestep_sandbox_base::random_bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The number of bytes of a secret.
const BYTES: usize = 32;
/// The relay's answer to the right secret.
const WELCOME: &[u8; 2] = b"1\n";

/// The secret that a sandbox shares with its relays.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; BYTES]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// Creates a random secret.
    pub fn random() -> Self {
        Self(random_bytes())
    }

    /// Returns the secret as text (base64, URL-safe).
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads a secret from its text; `None` if it is another text.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Compares digests, so that the time tells nothing about the secret.
    fn is(&self, offered: [u8; BYTES]) -> bool {
        Sha256::digest(self.0) == Sha256::digest(offered)
    }
}

/// Shows the secret to a relay.
///
/// # Errors
/// `PermissionDenied` if the relay ends the connection without an answer: it has another secret.
pub(crate) async fn show<Io>(stream: &mut Io, secret: &Secret) -> io::Result<()>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&secret.0).await?;
    stream.flush().await?;
    let mut answer = [0; WELCOME.len()];
    match stream.read_exact(&mut answer).await {
        Ok(_) if answer == *WELCOME => Ok(()),
        Ok(_) => Err(io::ErrorKind::InvalidData.into()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(io::ErrorKind::PermissionDenied.into())
        }
        Err(error) => Err(error),
    }
}

/// Asks the other side for the secret. Returns whether it has it.
pub(crate) async fn ask<Io>(stream: &mut Io, secret: &Secret) -> io::Result<bool>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let mut offered = [0; BYTES];
    stream.read_exact(&mut offered).await?;
    if !secret.is(offered) {
        return Ok(false);
    }
    stream.write_all(WELCOME).await?;
    stream.flush().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn greet(own: &Secret, shown: &Secret) -> (bool, io::Result<()>) {
        let (mut here, mut there) = tokio::io::duplex(64);
        let asked = async {
            let known = ask(&mut there, own).await.expect("an answer");
            drop(there);
            known
        };
        tokio::join!(asked, show(&mut here, shown))
    }

    #[tokio::test]
    async fn only_the_secret_opens_a_tunnel() {
        let secret = Secret::random();
        let (known, shown) = greet(&secret, &secret).await;
        assert!(known && shown.is_ok());
        let (known, shown) = greet(&secret, &Secret::random()).await;
        assert!(!known);
        let refused = shown.expect_err("refused");
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_secret_is_read_from_its_text_and_never_printed() {
        let secret = Secret::random();
        assert_eq!(
            Secret::read(&format!("{}\n", secret.text())),
            Some(secret.clone())
        );
        assert_eq!(Secret::read("short"), None);
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
