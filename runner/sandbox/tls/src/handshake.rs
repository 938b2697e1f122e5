use std::io;
use std::sync::Arc;

use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

/// Performs the handshake with a client that asks for a name (RFC 6066, 3) as `named`, and with any
/// other one, which has only an address, as `unnamed`.
///
/// # Errors
/// If the handshake fails.
pub async fn accept<Io>(
    stream: Io,
    named: &TlsAcceptor,
    unnamed: &TlsAcceptor,
) -> io::Result<TlsStream<Io>>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let chosen = match start.client_hello().server_name() {
        Some(_) => named,
        None => unnamed,
    };
    start.into_stream(Arc::clone(chosen.config())).await
}
