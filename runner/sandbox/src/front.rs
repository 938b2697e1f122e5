//! Google's own names, for clients whose endpoints cannot be configured: one port that speaks TLS
//! as `*.googleapis.com`, `*.pkg.dev`, `gcr.io` and `*.gcr.io`, with a certificate of the sandbox's
//! authority.
//!
//! The same port is an HTTPS proxy (RFC 9110, 9.3.6) that opens tunnels only to these names, which
//! end at the port itself. An unmodified client therefore needs `HTTPS_PROXY` and the authority's
//! certificate, and no change to the machine.

mod preface;
mod route;

use std::io;

use sidestep_sandbox_tls::{Authority, Secured, TlsStream};
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};

pub(crate) use route::Backends;

/// The domains that the sandbox serves as Google's; the authority can only certify these.
pub(crate) const DOMAINS: [&str; 3] = ["googleapis.com", "pkg.dev", "gcr.io"];

/// The names in the certificate.
const NAMES: [&str; 6] = [
    "*.googleapis.com",
    "googleapis.com",
    "*.storage.googleapis.com",
    "*.pkg.dev",
    "gcr.io",
    "*.gcr.io",
];

/// The connections: TLS from the start, or after a `CONNECT`.
pub(crate) type Listener = Secured<TlsStream<BufReader<TcpStream>>>;

/// Performs TLS handshakes as any of Google's names.
pub(crate) fn listen(listener: TcpListener, authority: &Authority) -> io::Result<Listener> {
    let acceptor = authority.acceptor(&NAMES, &["h2", "http/1.1"])?;
    Secured::new(listener, move |stream| {
        let acceptor = acceptor.clone();
        async move {
            match preface::open(stream).await? {
                Some(stream) => acceptor.accept(stream).await.map(Some),
                None => Ok(None),
            }
        }
    })
}

/// Returns whether the sandbox serves a host name as one of Google's.
pub(crate) fn is_googles(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    DOMAINS.iter().any(|domain| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::is_googles;

    #[test]
    fn only_whole_labels_count() {
        for name in [
            "storage.googleapis.com",
            "Europe-Docker.pkg.dev",
            "gcr.io",
            "eu.gcr.io.",
        ] {
            assert!(is_googles(name), "{name}");
        }
        for name in [
            "example.com",
            "evilgcr.io",
            "gcr.io.example.com",
            "127.0.0.1",
            "",
        ] {
            assert!(!is_googles(name), "{name}");
        }
    }
}
