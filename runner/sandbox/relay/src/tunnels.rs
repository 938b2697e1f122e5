//! The sandbox's side: a tunnel to each relay.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::{mpsc, watch};

use crate::greeting::{self, Secret};
use crate::mux::{self, Stream};
use crate::origin::{Opening, Origin, Service};
use crate::relay::BEAT;
use crate::relayed::Relayed;

/// The time without a beat after which a tunnel is given up: the connection broke silently, for
/// example while the machine slept.
const SILENCE: Duration = BEAT.saturating_mul(3);

/// The servers at the end of all tunnels.
#[derive(Debug)]
pub struct Ends {
    /// The connections to the metadata server.
    pub metadata: Relayed,
    /// The connections to Google's names.
    pub google: Relayed,
}

/// Passes the connections of tunnels to the servers. The clones pass them to the same ones.
#[derive(Debug, Clone)]
pub struct Tunnels {
    secret: Secret,
    metadata: mpsc::Sender<(Stream, SocketAddr)>,
    google: mpsc::Sender<(Stream, SocketAddr)>,
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

    /// Opens a tunnel on a connection to a relay. The future of the result passes on what comes,
    /// and ends with the tunnel.
    ///
    /// # Errors
    /// `PermissionDenied` if the relay has another secret; others if the connection breaks.
    pub async fn open<Io>(&self, mut io: Io) -> io::Result<impl Future<Output = ()> + use<Io>>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        greeting::show(&mut io, &self.secret).await?;
        let tunnels = self.clone();
        let (alive, heard) = watch::channel(());
        let accepted = mux::accepting(io, move |stream| {
            // Each connection shows that the tunnel works.
            alive.send_replace(());
            let tunnels = tunnels.clone();
            tokio::spawn(async move {
                if let Err(error) = tunnels.pass(stream).await {
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

    async fn pass(self, mut stream: Stream) -> io::Result<()> {
        let mut opening = [0; Opening::LENGTH];
        stream.read_exact(&mut opening).await?;
        let Opening::Pod(Origin { service, source }) = Opening::decode(opening)? else {
            return Ok(());
        };
        let server = match service {
            Service::Metadata => self.metadata,
            Service::Google => self.google,
        };
        let ended = |_| io::ErrorKind::NotConnected.into();
        server.send((stream, source)).await.map_err(ended)
    }
}

/// Ends when nothing was heard for too long.
async fn silent(mut heard: watch::Receiver<()>) {
    while let Ok(Ok(())) = tokio::time::timeout(SILENCE, heard.changed()).await {}
}
