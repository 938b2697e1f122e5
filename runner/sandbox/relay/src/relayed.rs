use std::io;
use std::marker::PhantomData;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::sync::mpsc;

use crate::mux::Stream;
use crate::origin::Service;

/// A connection of a pod.
pub type Connection = Stream;

/// The source of a pod's connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The address from which it came to the node.
    pub address: SocketAddr,
    /// The node, which can only vouch for its own pods.
    pub node: Arc<str>,
}

impl From<Peer> for SocketAddr {
    fn from(peer: Peer) -> Self {
        peer.address
    }
}

/// The connections of pods to one server, from all relays. For `axum::serve`; `Addr` is what that
/// server needs of their sources, a [`Peer`] or its address.
#[derive(Debug)]
pub struct Relayed<Addr> {
    service: Service,
    accepted: mpsc::Receiver<(Connection, Peer)>,
    addresses: PhantomData<fn() -> Addr>,
}

impl<Addr> Relayed<Addr> {
    /// Returns the listener, and its source of connections.
    pub(crate) fn new(service: Service) -> (mpsc::Sender<(Connection, Peer)>, Self) {
        let (sender, accepted) = mpsc::channel(16);
        let listener = Self {
            service,
            accepted,
            addresses: PhantomData,
        };
        (sender, listener)
    }
}

impl<Addr> Listener for Relayed<Addr>
where
    Addr: From<Peer> + Send + 'static,
{
    type Io = Connection;
    type Addr = Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some((connection, peer)) => (connection, peer.into()),
            // Without a tunnel, nothing comes any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Addr> {
        let all = Peer {
            address: (Ipv4Addr::UNSPECIFIED, self.service.port()).into(),
            node: Arc::from(""),
        };
        Ok(all.into())
    }
}

impl Connected<IncomingStream<'_, Relayed<Peer>>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Relayed<Peer>>) -> Self {
        stream.remote_addr().clone()
    }
}
