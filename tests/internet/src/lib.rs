//! A test's own internet: names, addresses and servers, all on this machine.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, ClientBuilder};
use sidestep_sandbox_tls::{Authority, Secured, TlsAcceptor};
use sidestep_transport::{Lookup, PublicNames};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A request that a raw server received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The connection's number, from 0.
    pub connection: usize,
    /// The server name from the TLS handshake (SNI).
    pub name: Option<String>,
    /// The head of the request, byte by byte.
    pub head: String,
}

/// Names, and the addresses of each of their lookups, one lookup after another. The last one
/// repeats.
type Lookups = HashMap<String, Vec<Vec<IpAddr>>>;

/// Names, their addresses, and servers with certificates for them.
pub struct Internet {
    authority: Authority,
    acceptor: TlsAcceptor,
    lookups: Lookups,
    routes: HashMap<IpAddr, SocketAddr>,
}

impl Internet {
    /// Creates an internet whose servers have certificates for these names.
    pub fn new(names: &[&str]) -> Self {
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
    #[must_use]
    pub fn named(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses
            .iter()
            .map(|text| text.parse().expect("an address"));
        let lookups = self.lookups.entry(name.to_owned()).or_default();
        lookups.push(addresses.collect());
        self
    }

    /// Redirects connections to an address, after it has been checked.
    #[must_use]
    pub fn routed(mut self, address: &str, to: SocketAddr) -> Self {
        self.routes.insert(address.parse().expect("an address"), to);
        self
    }

    /// Returns a client's builder in this internet: it trusts the internet's certificates, and
    /// resolves its names. With `checked`, names without public addresses are refused.
    pub fn builder(
        &self,
        checked: bool,
    ) -> impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + use<> {
        let certificate = Certificate::from_pem(self.authority.pem().as_bytes());
        let certificate = certificate.expect("a certificate");
        let lookups = Arc::new(Mutex::new(self.lookups.clone()));
        let lookup: Lookup = Arc::new(move |name| {
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
        });
        let names: Arc<dyn Resolve> = if checked {
            Arc::new(PublicNames::of(lookup))
        } else {
            Arc::new(AllNames(lookup))
        };
        let names = Arc::new(Routed {
            names,
            routes: self.routes.clone(),
        });
        move |builder| {
            builder
                .no_proxy()
                .tls_certs_merge([certificate.clone()])
                .dns_resolver(Arc::clone(&names))
        }
    }

    /// Serves a router.
    pub async fn serve(&self, router: Router) -> SocketAddr {
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
    pub async fn listen_closely(&self) -> (SocketAddr, Arc<Mutex<Vec<Heard>>>) {
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

/// Resolves names to all their addresses.
struct AllNames(Lookup);

impl Resolve for AllNames {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.0)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await?.into_iter();
            Ok(Box::new(found.map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// Leads from resolved, and perhaps checked, addresses to a test's servers.
struct Routed {
    names: Arc<dyn Resolve>,
    routes: HashMap<IpAddr, SocketAddr>,
}

impl Resolve for Routed {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, routes) = (self.names.resolve(name), self.routes.clone());
        Box::pin(async move {
            let routed: Vec<SocketAddr> = found
                .await?
                .map(|address| routes.get(&address.ip()).copied().unwrap_or(address))
                .collect();
            Ok(Box::new(routed.into_iter()) as Addrs)
        })
    }
}
