//! The first bytes of each connection in a tunnel: for which server it is, and from whom.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A server of the sandbox that pods reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The metadata server.
    Metadata,
    /// Google's names, by TLS.
    Google,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Metadata, Self::Google];

    /// Returns the port at which pods expect it.
    pub fn port(self) -> u16 {
        match self {
            Self::Metadata => 80,
            Self::Google => 443,
        }
    }
}

/// The purpose of a connection in a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It shows that the tunnel works, and carries nothing.
    Beat,
    /// It carries the connection of a pod.
    Pod(Origin),
}

/// A connection's server and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) service: Service,
    pub(crate) source: SocketAddr,
}

impl Opening {
    /// The number of bytes: two of the service's port, sixteen of the address as IPv6, two of the
    /// source's port. A beat is all zeros.
    pub(crate) const LENGTH: usize = 20;

    pub(crate) fn encode(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        if let Self::Pod(Origin { service, source }) = self {
            let address = match source.ip() {
                IpAddr::V4(address) => address.to_ipv6_mapped(),
                IpAddr::V6(address) => address,
            };
            bytes[..2].copy_from_slice(&service.port().to_be_bytes());
            bytes[2..18].copy_from_slice(&address.octets());
            bytes[18..].copy_from_slice(&source.port().to_be_bytes());
        }
        bytes
    }

    /// # Errors
    /// If there is no such service.
    pub(crate) fn decode(bytes: [u8; Self::LENGTH]) -> io::Result<Self> {
        if bytes == Self::Beat.encode() {
            return Ok(Self::Beat);
        }
        let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let service = Service::ALL
            .into_iter()
            .find(|service| service.port() == number(0))
            .ok_or(io::ErrorKind::InvalidData)?;
        let mut octets = [0; 16];
        octets.copy_from_slice(&bytes[2..18]);
        // An IPv4 address, or an IPv6 address of its own.
        let address = Ipv6Addr::from(octets).to_canonical();
        let source = SocketAddr::new(address, number(18));
        Ok(Self::Pod(Origin { service, source }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_source_is_the_same_after_the_tunnel(address: IpAddr, port: u16, google: bool) {
            let service = if google { Service::Google } else { Service::Metadata };
            let source = SocketAddr::new(address.to_canonical(), port);
            let opening = Opening::Pod(Origin { service, source });
            prop_assert_eq!(Opening::decode(opening.encode()).expect("decodes"), opening);
        }
    }

    #[test]
    fn a_beat_is_no_pod() {
        let beat = Opening::decode(Opening::Beat.encode()).expect("decodes");
        assert_eq!(beat, Opening::Beat);
    }

    #[test]
    fn an_unknown_service_is_refused() {
        assert!(Opening::decode([9; Opening::LENGTH]).is_err());
    }
}
