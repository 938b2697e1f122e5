//! The sandbox's side: a tunnel to each relay.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, watch};

use crate::greeting::{self, Secret};
use crate::mux::{self, Stream};
use crate::origin::{Opening, Origin, Service};
use crate::relay::BEAT;
use crate::relayed::{Peer, Relayed};

/// The time without a beat after which a tunnel is given up: the connection broke silently, for
/// example while the machine slept.
const SILENCE: Duration = BEAT.saturating_mul(3);

/// The first byte of each connection from the sandbox: it acknowledges the connection.
const ACCEPTED: u8 = 1;

/// The servers at the end of all tunnels.
#[derive(Debug)]
pub struct Ends {
    /// The connections to the metadata server.
    pub metadata: Relayed<Peer>,
    /// The connections to Google's names.
    pub google: Relayed<SocketAddr>,
}

/// Passes the connections of tunnels to the servers. The clones pass them to the same ones.
#[derive(Debug, Clone)]
pub struct Tunnels {
    secret: Secret,
    metadata: mpsc::Sender<(Stream, Peer)>,
    google: mpsc::Sender<(Stream, Peer)>,
}

impl Tunnels {
    /// Returns the tunnels of relays with this secret, and where their connections end.
    pub fn new(secret: Secret) -> (Self, Ends) {
        let (to_metadata, metadata) = Relayed::new(Service::Metadata);
        let (to_google, google) = Relayed::new(Service::Google);
        let tunnels = Self {
            secret,
            metadata: to_metadata,
            google: to_google,
        };
        (tunnels, Ends { metadata, google })
    }

    /// Opens a tunnel on a connection to the relay of a node. The future of the result passes on
    /// what comes, and ends with the tunnel.
    ///
    /// # Errors
    /// `PermissionDenied` if the other side is not that relay; others if the connection breaks.
    pub async fn open<Io>(
        &self,
        mut io: Io,
        node: &str,
    ) -> io::Result<impl Future<Output = ()> + use<Io>>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        greeting::meet_relay(&mut io, &self.secret, node).await?;
        let (tunnels, node) = (self.clone(), Arc::from(node));
        let (alive, heard) = watch::channel(());
        let accepted = mux::accepting(io, move |stream| {
            // Each connection shows that the tunnel works.
            alive.send_replace(());
            let (tunnels, node) = (tunnels.clone(), Arc::clone(&node));
            tokio::spawn(async move {
                if let Err(error) = tunnels.pass(stream, node).await {
                    tracing::debug!(%error, "a relayed connection was dropped");
                }
            });
        });
        Ok(async move {
            tokio::select! {
                () = accepted => {}
                () = silent(heard) => {}
            }
        })
    }

    async fn pass(self, mut stream: Stream, node: Arc<str>) -> io::Result<()> {
        let mut opening = [0; Opening::LENGTH];
        stream.read_exact(&mut opening).await?;
        let Opening::Pod(Origin { service, source }) = Opening::decode(opening)? else {
            return Ok(());
        };
        stream.write_u8(ACCEPTED).await?;
        stream.flush().await?;
        let server = match service {
            Service::Metadata => self.metadata,
            Service::Google => self.google,
        };
        let ended = |_| io::ErrorKind::NotConnected.into();
        let peer = Peer {
            address: source,
            node,
        };
        server.send((stream, peer)).await.map_err(ended)
    }
}

/// Ends when nothing was heard for too long.
async fn silent(mut heard: watch::Receiver<()>) {
    while let Ok(Ok(())) = tokio::time::timeout(SILENCE, heard.changed()).await {}
}
