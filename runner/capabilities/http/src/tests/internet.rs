//! A test's own internet: names, addresses and servers, all on this machine.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use sidestep_sandbox_tls::{Authority, Secured, TlsAcceptor};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::HttpClient;
use crate::names::World;

/// A request that a raw server received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    /// The connection's number, from 0.
    pub(super) connection: usize,
    /// The server name from the TLS handshake (SNI).
    pub(super) name: Option<String>,
    /// The head of the request, byte by byte.
    pub(super) head: String,
}

/// Names and the addresses of each of their lookups, one lookup after another. The last one
/// repeats.
type Lookups = HashMap<String, Vec<Vec<IpAddr>>>;

pub(super) struct Internet {
    authority: Authority,
    acceptor: TlsAcceptor,
    lookups: Lookups,
    routes: HashMap<IpAddr, SocketAddr>,
}

impl Internet {
    /// Creates an internet whose servers have certificates for these names.
    pub(super) fn new(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open(folder.path(), "tests", &[]).expect("an authority");
        let acceptor = authority.acceptor(names, &[]).expect("an acceptor");
        Self {
            authority,
            acceptor,
            lookups: HashMap::new(),
            routes: HashMap::new(),
        }
    }

    /// Sets the result of the next lookup of a name.
    pub(super) fn named(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses
            .iter()
            .map(|text| text.parse().expect("an address"));
        let lookups = self.lookups.entry(name.to_owned()).or_default();
        lookups.push(addresses.collect());
        self
    }

    /// Redirects connections to an address, after it has been checked.
    pub(super) fn routed(mut self, address: &str, to: SocketAddr) -> Self {
        self.routes.insert(address.parse().expect("an address"), to);
        self
    }

    pub(super) fn client(&self) -> HttpClient {
        let certificate = reqwest::Certificate::from_pem(self.authority.pem().as_bytes());
        let lookups = Arc::new(Mutex::new(self.lookups.clone()));
        let mut client = HttpClient::default();
        client.world = Some(World {
            certificate: certificate.expect("a certificate"),
            lookup: Arc::new(move |name| {
                let mut lookups = lookups.lock().expect("not poisoned");
                let found = lookups.get_mut(&name).map(|known| {
                    if known.len() > 1 {
                        known.remove(0)
                    } else {
                        known[0].clone()
                    }
                });
                let found = found.ok_or_else(|| std::io::Error::other("no such name"));
                Box::pin(std::future::ready(found))
            }),
            routes: self.routes.clone(),
        });
        client
    }

    /// Serves a router.
    pub(super) async fn serve(&self, router: Router) -> SocketAddr {
        let listener = listen().await;
        let address = listener.local_addr().expect("an address");
        let acceptor = self.acceptor.clone();
        let secured = Secured::new(listener, move |stream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await.map(Some) }
        });
        let secured = secured.expect("it listens");
        tokio::spawn(async move { axum::serve(secured, router).await });
        address
    }

    /// Answers every request with `ok`, keeps connections open, and records the requests.
    pub(super) async fn listen_closely(&self) -> (SocketAddr, Arc<Mutex<Vec<Heard>>>) {
        let listener = listen().await;
        let address = listener.local_addr().expect("an address");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (acceptor, all) = (self.acceptor.clone(), Arc::clone(&heard));
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.expect("a connection");
                let (acceptor, all) = (acceptor.clone(), Arc::clone(&all));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let name = stream.get_ref().1.server_name().map(str::to_owned);
                    let mut bytes = Vec::new();
                    while let Ok(byte) = stream.read_u8().await {
                        bytes.push(byte);
                        if bytes.ends_with(b"\r\n\r\n") {
                            all.lock().expect("not poisoned").push(Heard {
                                connection,
                                name: name.clone(),
                                head: String::from_utf8_lossy(&bytes).into_owned(),
                            });
                            bytes.clear();
                            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                            stream.write_all(answer).await.expect("it listens");
                        }
                    }
                });
            }
        });
        (address, heard)
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}
