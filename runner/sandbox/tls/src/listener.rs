use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

/// The timeout of a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A listener that performs handshakes in separate tasks, so that a slow client does not block
/// `accept`. For `axum::serve`.
pub struct Secured<Io> {
    address: SocketAddr,
    ready: mpsc::Receiver<(Io, SocketAddr)>,
    task: tokio::task::JoinHandle<()>,
}

impl<Io: AsyncRead + AsyncWrite + Unpin + Send + 'static> Secured<Io> {
    /// Wraps a listener. `shake` turns a connection into the stream to serve; `None` drops the
    /// connection.
    pub fn new<Inner, Shake, Shaken>(mut listener: Inner, shake: Shake) -> io::Result<Self>
    where
        Inner: axum::serve::Listener<Addr = SocketAddr>,
        Shake: Fn(Inner::Io) -> Shaken + Send + 'static,
        Shaken: Future<Output = io::Result<Option<Io>>> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let (out, ready) = mpsc::channel(16);
        let task = tokio::spawn(async move {
            loop {
                let (stream, peer) = listener.accept().await;
                let (shaken, out) = (shake(stream), out.clone());
                tokio::spawn(async move {
                    match tokio::time::timeout(HANDSHAKE, shaken).await {
                        Ok(Ok(Some(stream))) => {
                            // An error means that the server is shutting down.
                            let _ = out.send((stream, peer)).await;
                        }
                        Ok(Ok(None)) => {}
                        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                        Err(_) => tracing::debug!("TLS handshake took too long"),
                    }
                });
            }
        });
        Ok(Self {
            address,
            ready,
            task,
        })
    }
}

impl<Io> std::fmt::Debug for Secured<Io> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secured")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl<Io> Drop for Secured<Io> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin + Send + 'static> axum::serve::Listener for Secured<Io> {
    type Io = Io;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The accepting task never ends as long as this value exists.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
