//! The metadata server's address on a node.
//!
//! It is given to the loopback interface: packets of pods to it come to the node by their default
//! route, and a host accepts an address of any of its interfaces. A label tells it from an address
//! that is not ours, also after a relay was killed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures::TryStreamExt as _;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use rtnetlink::{Error, Handle};
use tokio::net::TcpStream;

use crate::error::RelayError;

/// The label. Labels begin with the interface's name, and have at most 15 bytes (`IFNAMSIZ`).
const LABEL: &str = "lo:sidestep";
/// The number of the loopback interface, in every network namespace.
const LOOPBACK: u32 = 1;
/// The timeout of the question whether another metadata server answers.
const ANSWER: Duration = Duration::from_secs(2);

/// An address that the node has because of us.
#[derive(Debug)]
pub struct Lent {
    handle: Handle,
    message: AddressMessage,
}

/// Gives an address to the node.
///
/// # Errors
/// If another metadata server answers at `port` of it, or the node refuses.
pub async fn lend(address: Ipv4Addr, port: u16) -> Result<Option<Lent>, RelayError> {
    let refused = |why: String| RelayError::Address {
        address: address.into(),
        why,
    };
    let (connection, handle, _) =
        rtnetlink::new_connection().map_err(|error| refused(error.to_string()))?;
    tokio::spawn(connection);
    if let Some(present) = find(&handle, address)
        .await
        .map_err(|error| refused(text(&error)))?
    {
        // Our own of a relay that was killed; another one is a real node's, and stays.
        return Ok(is_ours(&present).then_some(Lent {
            handle,
            message: present,
        }));
    }
    if answers(SocketAddr::new(address.into(), port)).await {
        return Err(RelayError::OtherMetadataServer {
            address: address.into(),
        });
    }
    let mut request = handle.address().add(LOOPBACK, address.into(), 32);
    request
        .message_mut()
        .attributes
        .push(AddressAttribute::Label(LABEL.to_owned()));
    let message = request.message_mut().clone();
    request
        .execute()
        .await
        .map_err(|error| refused(text(&error)))?;
    Ok(Some(Lent { handle, message }))
}

impl Lent {
    /// Takes the address back. An error is not reported: it means that the address is gone.
    pub async fn take_back(self) {
        let _ = self.handle.address().del(self.message).execute().await;
    }
}

async fn find(handle: &Handle, address: Ipv4Addr) -> Result<Option<AddressMessage>, Error> {
    let mut all = handle.address().get().execute();
    while let Some(message) = all.try_next().await? {
        let is_it = message.attributes.iter().any(|attribute| {
            matches!(attribute, AddressAttribute::Local(local) if *local == IpAddr::V4(address))
        });
        if is_it {
            return Ok(Some(message));
        }
    }
    Ok(None)
}

fn is_ours(message: &AddressMessage) -> bool {
    let mut attributes = message.attributes.iter();
    attributes
        .any(|attribute| matches!(attribute, AddressAttribute::Label(label) if label == LABEL))
}

async fn answers(address: SocketAddr) -> bool {
    let connected = tokio::time::timeout(ANSWER, TcpStream::connect(address)).await;
    matches!(connected, Ok(Ok(_)))
}

fn text(error: &Error) -> String {
    match error {
        Error::NetlinkError(message) => message.to_io().to_string(),
        error => error.to_string(),
    }
}
