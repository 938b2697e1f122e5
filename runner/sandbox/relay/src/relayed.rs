use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::sync::mpsc;

use crate::mux::Stream;
use crate::origin::Service;

/// A connection of a pod.
pub type Connection = Stream;

/// The connections of pods to one server, from all relays. For `axum::serve`.
#[derive(Debug)]
pub struct Relayed {
    service: Service,
    accepted: mpsc::Receiver<(Connection, SocketAddr)>,
}

impl Relayed {
    /// Returns the listener, and its source of connections.
    pub(crate) fn new(service: Service) -> (mpsc::Sender<(Connection, SocketAddr)>, Self) {
        let (sender, accepted) = mpsc::channel(16);
        (sender, Self { service, accepted })
    }
}

impl Listener for Relayed {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            // Without a tunnel, nothing comes any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok((Ipv4Addr::UNSPECIFIED, self.service.port()).into())
    }
}

/// The address from which a pod's connection came to its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Relayed>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Relayed>) -> Self {
        Self(*stream.remote_addr())
    }
}
