//! The start of a tunnel. Every process of a node reaches the relay's port, and may have it instead
//! of the relay. So both sides prove that they have the secret of the installation, and neither
//! shows it.
//!
//! ```text
//! relay    a nonce
//! sandbox  a nonce, HMAC(secret, "sandbox", node, both nonces)
//! relay    HMAC(secret, "relay", node, both nonces)
//! ```
//!
//! The node is part of both proofs: who has the port of one node can't pass on what the relay of
//! another one answers.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sidestep_sandbox_base::random_bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The number of bytes of a secret, a nonce and a proof.
const BYTES: usize = 32;

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
}

/// The two sides of a tunnel.
#[derive(Clone, Copy)]
enum Side {
    Sandbox,
    Relay,
}

/// The values that both sides have before they prove anything.
struct Meeting<'a> {
    secret: &'a Secret,
    node: &'a str,
    of_relay: [u8; BYTES],
    of_sandbox: [u8; BYTES],
}

impl Meeting<'_> {
    fn mac(&self, side: Side) -> io::Result<Hmac<Sha256>> {
        let role: &[u8] = match side {
            Side::Sandbox => b"sandbox\0",
            Side::Relay => b"relay\0",
        };
        let mac = Hmac::<Sha256>::new_from_slice(&self.secret.0);
        let mac = mac.map_err(io::Error::other)?;
        // The nonces have a fixed length, so the node's name is the only part of any length.
        Ok(mac
            .chain_update(role)
            .chain_update(self.of_relay)
            .chain_update(self.of_sandbox)
            .chain_update(self.node))
    }

    fn proof(&self, side: Side) -> io::Result<[u8; BYTES]> {
        Ok(self.mac(side)?.finalize().into_bytes().into())
    }

    /// Compares in constant time.
    fn is_proof(&self, side: Side, offered: &[u8; BYTES]) -> io::Result<bool> {
        Ok(self.mac(side)?.verify_slice(offered).is_ok())
    }
}

/// Proves to the relay of a node that this is its sandbox, and checks that it is that relay.
///
/// # Errors
/// `PermissionDenied` if the other side ends the connection, or is not the relay of this node.
pub(crate) async fn meet_relay<Io>(stream: &mut Io, secret: &Secret, node: &str) -> io::Result<()>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let mut of_relay = [0; BYTES];
    stream.read_exact(&mut of_relay).await?;
    let meeting = Meeting {
        secret,
        node,
        of_relay,
        of_sandbox: random_bytes(),
    };
    stream.write_all(&meeting.of_sandbox).await?;
    stream.write_all(&meeting.proof(Side::Sandbox)?).await?;
    stream.flush().await?;
    let mut proof = [0; BYTES];
    match stream.read_exact(&mut proof).await {
        Ok(_) if meeting.is_proof(Side::Relay, &proof)? => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

/// Checks that the other side is the sandbox, and proves to it that this is the relay of a node.
/// Returns whether it is the sandbox.
pub(crate) async fn meet_sandbox<Io>(
    stream: &mut Io,
    secret: &Secret,
    node: &str,
) -> io::Result<bool>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let of_relay = random_bytes();
    stream.write_all(&of_relay).await?;
    stream.flush().await?;
    let (mut of_sandbox, mut proof) = ([0; BYTES], [0; BYTES]);
    stream.read_exact(&mut of_sandbox).await?;
    stream.read_exact(&mut proof).await?;
    let meeting = Meeting {
        secret,
        node,
        of_relay,
        of_sandbox,
    };
    if !meeting.is_proof(Side::Sandbox, &proof)? {
        return Ok(false);
    }
    stream.write_all(&meeting.proof(Side::Relay)?).await?;
    stream.flush().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::{DuplexStream, duplex};

    use super::*;

    /// Lets a relay and a sandbox meet, each with its secret and node.
    async fn meet(relay: (&Secret, &str), sandbox: (&Secret, &str)) -> (bool, io::Result<()>) {
        let (mut here, mut there) = duplex(256);
        let relay = async {
            let known = meet_sandbox(&mut there, relay.0, relay.1).await;
            drop(there);
            known.expect("an answer")
        };
        tokio::join!(relay, meet_relay(&mut here, sandbox.0, sandbox.1))
    }

    fn is_refused(met: io::Result<()>) -> bool {
        met.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    }

    #[tokio::test]
    async fn only_the_secret_and_the_node_open_a_tunnel() {
        let secret = Secret::random();
        let (known, met) = meet((&secret, "a"), (&secret, "a")).await;
        assert!(known && met.is_ok());
        let (known, met) = meet((&secret, "a"), (&Secret::random(), "a")).await;
        assert!(!known && is_refused(met));
        let (known, met) = meet((&secret, "a"), (&secret, "b")).await;
        assert!(!known && is_refused(met));
    }

    #[tokio::test]
    async fn who_listens_in_place_of_a_relay_learns_nothing_and_is_not_believed() {
        let secret = Secret::random();
        // It answers with what it was sent, or with anything.
        for answer in [None, Some([b'1'; BYTES])] {
            let (mut here, mut there) = duplex(256);
            let heard = Arc::new(Mutex::new(Vec::new()));
            let all = Arc::clone(&heard);
            let listens = async move {
                there.write_all(&[7; BYTES]).await.expect("sent");
                let mut sent = [0; 2 * BYTES];
                there.read_exact(&mut sent).await.expect("received");
                all.lock().expect("a test").extend(sent);
                let proof = answer.unwrap_or_else(|| sent[BYTES..].try_into().expect("a proof"));
                there.write_all(&proof).await.expect("sent");
                there
            };
            let (_there, met): (DuplexStream, _) =
                tokio::join!(listens, meet_relay(&mut here, &secret, "a"));
            assert!(is_refused(met));
            let heard = heard.lock().expect("a test").clone();
            assert!(heard.windows(BYTES).all(|bytes| bytes != secret.0));
        }
    }

    #[tokio::test]
    async fn a_proof_is_not_good_for_another_meeting() {
        let secret = Secret::random();
        let meeting = Meeting {
            secret: &secret,
            node: "a",
            of_relay: random_bytes(),
            of_sandbox: random_bytes(),
        };
        let seen = meeting.proof(Side::Sandbox).expect("a proof");
        let (mut here, mut there) = duplex(256);
        let replays = async {
            here.read_exact(&mut [0; BYTES]).await.expect("a nonce");
            here.write_all(&meeting.of_sandbox).await.expect("sent");
            here.write_all(&seen).await.expect("sent");
        };
        let ((), known) = tokio::join!(replays, meet_sandbox(&mut there, &secret, "a"));
        assert!(!known.expect("an answer"));
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
