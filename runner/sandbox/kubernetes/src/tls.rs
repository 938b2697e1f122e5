//! TLS: kubectl sends a bearer token over nothing else.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

use crate::journal::write_atomically;

/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The cluster's own certificate authority.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Takes the authority in `dir`, or makes one there.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let (certificate, key) = (dir.join("ca.crt"), dir.join("ca.key"));
        if !(certificate.exists() && key.exists()) {
            let mut params = CertificateParams::default();
            params
                .distinguished_name
                .push(DnType::CommonName, "sidestep sandbox cluster");
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            let pair = KeyPair::generate().map_err(io::Error::other)?;
            let made = params.self_signed(&pair).map_err(io::Error::other)?;
            write_atomically(&key, pair.serialize_pem().as_bytes())?;
            write_atomically(&certificate, made.pem().as_bytes())?;
        }
        let pem = std::fs::read_to_string(&certificate)?;
        let pair = KeyPair::from_pem(&std::fs::read_to_string(&key)?).map_err(io::Error::other)?;
        let issuer = Issuer::from_ca_cert_pem(&pem, pair).map_err(io::Error::other)?;
        Ok(Self { pem, issuer })
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A server configuration for these names and addresses.
    fn server(&self, names: &[String]) -> io::Result<Arc<rustls::ServerConfig>> {
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "kubernetes");
        let pair = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params
            .signed_by(&pair, &self.issuer)
            .map_err(io::Error::other)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Serves a router over TLS until it is told to stop.
    pub(crate) async fn serve(
        &self,
        listener: TcpListener,
        router: Router,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        let names = [
            "127.0.0.1",
            "localhost",
            "kubernetes",
            "kubernetes.default.svc",
        ];
        let config = self.server(&names.map(str::to_owned))?;
        let listener = Secure::new(listener, TlsAcceptor::from(config))?;
        axum::serve(listener, router)
            .with_graceful_shutdown(async move { shutdown.cancelled().await })
            .await
    }
}

/// Shakes hands aside, so that a silent client holds nobody up.
struct Secure {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    task: tokio::task::JoinHandle<()>,
}

impl Secure {
    fn new(mut listener: TcpListener, acceptor: TlsAcceptor) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (out, ready) = mpsc::channel(16);
        let task = tokio::spawn(async move {
            loop {
                let (stream, peer) = axum::serve::Listener::accept(&mut listener).await;
                let (acceptor, out) = (acceptor.clone(), out.clone());
                tokio::spawn(async move {
                    match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => {
                            // An error means that the server is ending.
                            let _ = out.send((stream, peer)).await;
                        }
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

impl Drop for Secure {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl axum::serve::Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The accepting task never ends while this lives.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
