//! Many connections in one tunnel (the [Yamux] protocol).
//!
//! [Yamux]: https://github.com/hashicorp/yamux/blob/master/spec.md

use std::future::poll_fn;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _, TokioAsyncReadCompatExt as _};
use yamux::{Config, Connection, Mode};

/// The maximum number of connections of pods in a tunnel.
pub(crate) const MOST: usize = 1024;
/// The connections that a tunnel carries besides: beats, and those that are ending.
const SPARE: usize = 512;

/// One connection in a tunnel.
pub(crate) type Stream = Compat<yamux::Stream>;

/// Opens connections in a tunnel. The clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Opener(mpsc::Sender<oneshot::Sender<Stream>>);

impl Opener {
    /// Opens a connection; `None` if the tunnel has ended.
    pub(crate) async fn open(&self) -> Option<Stream> {
        let (wanted, opened) = oneshot::channel();
        self.0.send(wanted).await.ok()?;
        opened.await.ok()
    }

    /// Returns whether both open connections in the same tunnel.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

/// A tunnel with more connections than both sides allow ends, with all of them.
fn config() -> Config {
    let mut config = Config::default();
    config.set_max_num_streams(MOST + SPARE);
    config
}

/// Makes a tunnel of a connection, for the side that opens connections in it. The future moves the
/// bytes, and ends with the tunnel.
pub(crate) fn opening<Io>(io: Io) -> (Opener, impl Future<Output = ()> + Send)
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut tunnel = Connection::new(io.compat(), config(), Mode::Client);
    let (opener, mut requests) = mpsc::channel(1);
    let mut wanted: Option<oneshot::Sender<Stream>> = None;
    let moved = poll_fn(move |context| {
        loop {
            // This moves the bytes of all connections. The other side opens none.
            match tunnel.poll_next_inbound(context) {
                Poll::Ready(Some(Ok(_))) => continue,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {}
            }
            if wanted.is_none() {
                match requests.poll_recv(context) {
                    Poll::Ready(Some(request)) => wanted = Some(request),
                    Poll::Ready(None) => return tunnel.poll_close(context).map(drop),
                    Poll::Pending => return Poll::Pending,
                }
            }
            match tunnel.poll_new_outbound(context) {
                Poll::Ready(Ok(stream)) => {
                    if let Some(wanted) = wanted.take() {
                        // The caller may have stopped waiting.
                        let _ = wanted.send(stream.compat());
                    }
                }
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    (Opener(opener), moved)
}

/// Makes a tunnel of a connection, for the side that accepts connections in it. Ends with the
/// tunnel.
pub(crate) async fn accepting<Io>(io: Io, mut each: impl FnMut(Stream))
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let mut tunnel = Connection::new(io.compat(), config(), Mode::Server);
    while let Some(Ok(stream)) = poll_fn(|context| tunnel.poll_next_inbound(context)).await {
        each(stream.compat());
    }
}
