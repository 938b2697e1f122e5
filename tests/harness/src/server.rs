//! HTTP servers on loopback.

use std::net::SocketAddr;

use axum::Router;
use reqwest::{Method, RequestBuilder};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A free port of loopback, which nobody serves yet.
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    /// The port's address.
    pub address: SocketAddr,
}

impl Port {
    /// Binds a free port.
    ///
    /// # Panics
    /// If there is none.
    pub async fn free() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        Self { listener, address }
    }

    /// Returns the base address, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until the runtime ends or the task is aborted.
    pub fn serve(self, router: Router) -> JoinHandle<()> {
        let server = axum::serve(self.listener, router);
        tokio::spawn(async move { server.await.expect("it serves") })
    }
}

/// Serves at a free port until the runtime ends. Returns the base address, without a trailing
/// slash.
///
/// # Panics
/// If there is no free port.
pub async fn serve(router: Router) -> String {
    let port = Port::free().await;
    let url = port.url();
    port.serve(router);
    url
}

/// A server with a plain client. Dropping it ends the server.
#[derive(Debug)]
pub struct Server {
    /// The server's address.
    pub address: SocketAddr,
    /// The base address, without a trailing slash.
    pub base: String,
    client: reqwest::Client,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves at a port.
    pub fn at(port: Port, router: Router) -> Self {
        Self {
            address: port.address,
            base: port.url(),
            client: reqwest::Client::new(),
            task: port.serve(router),
        }
    }

    /// Returns a request with a bearer token, or without one. `path` begins with a slash, or is a
    /// whole URL.
    pub fn request(&self, token: Option<&str>, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, self.url(path));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
