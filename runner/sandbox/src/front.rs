//! Google's own names, for clients whose endpoints cannot be configured: one port that speaks TLS
//! as `*.googleapis.com`, `*.pkg.dev`, `gcr.io`, `*.gcr.io` and the cluster's DNS endpoint, with a
//! certificate of the sandbox's authority.
//!
//! The same port is an HTTPS proxy (RFC 9110, 9.3.6) that opens tunnels only to these names, which
//! end at the port itself. An unmodified client therefore needs `HTTPS_PROXY` and the authority's
//! certificate, and no change to the machine.

mod dns_endpoint;
mod preface;
mod route;

use std::io;
use std::net::SocketAddr;

use sidestep_sandbox_base::names;
use sidestep_sandbox_tls::{Authority, Secured, TlsAcceptor, TlsStream, accept};
use tokio::io::BufReader;

pub(crate) use dns_endpoint::behind;
pub(crate) use route::{Backends, host};

/// The connections: TLS from the start, or after a `CONNECT`.
pub(crate) type Listener<Io> = Secured<TlsStream<BufReader<Io>>>;

/// Performs TLS handshakes as any of Google's names, and as `unnamed` with the clients that ask for
/// no name.
pub(crate) fn listen<Inner>(
    listener: Inner,
    authority: &Authority,
    unnamed: Option<&TlsAcceptor>,
) -> io::Result<Listener<Inner::Io>>
where
    Inner: axum::serve::Listener<Addr = SocketAddr>,
{
    let acceptor = authority.acceptor(&names::CERTIFIED, &["h2", "http/1.1"])?;
    let unnamed = unnamed.unwrap_or(&acceptor).clone();
    Secured::new(listener, move |stream| {
        let (named, unnamed) = (acceptor.clone(), unnamed.clone());
        async move {
            match preface::open(stream).await? {
                Some(stream) => accept(stream, &named, &unnamed).await.map(Some),
                None => Ok(None),
            }
        }
    })
}
