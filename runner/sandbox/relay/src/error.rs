use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

/// The reasons why a relay does not work.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Another metadata server answers on the node.
    #[error(
        "this node has a metadata server already: {address} answers, as on nodes of a cloud. Two of \
         them would give pods two identities, so nothing was changed"
    )]
    OtherMetadataServer {
        /// Its address.
        address: IpAddr,
    },
    /// The node refuses a change of its addresses.
    #[error("cannot give {address} to the node's loopback interface: {why}")]
    Address {
        /// The address.
        address: IpAddr,
        /// The reason.
        why: String,
    },
    /// The process is not in a pod of the sandbox's.
    #[error(
        "{} has no secret: this command works only in the pods that `sidestep sandbox --cluster` \
         creates",
        path.display()
    )]
    NotInPod {
        /// The file of the secret.
        path: PathBuf,
    },
    /// Another relay of the node works.
    #[error(
        "port {port} of this node is in use: another sandbox serves the pods of this cluster, or is \
         being removed"
    )]
    OtherRelay {
        /// The port of the tunnel.
        port: u16,
    },
    /// A port can't be opened.
    #[error("cannot open {address}: {source}")]
    Port {
        /// The address and port.
        address: String,
        /// The reason.
        source: io::Error,
    },
}

/// The reasons why relays can't be installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The API server refuses a request.
    #[error("cannot {what}: {why}")]
    Api {
        /// The request.
        what: String,
        /// The API server's reason.
        why: String,
    },
    /// An object is not what Kubernetes documents: a bug.
    #[error("an object of the relays is not valid: {0}")]
    Object(serde_json::Error),
    /// The API server answered without the uid of an object.
    #[error("the API server created an object without a uid")]
    NoUid,
    /// The cluster has not removed everything.
    #[error("namespace `{namespace}` is deleted, but the cluster has not removed it yet")]
    Slow {
        /// The namespace of the relays.
        namespace: String,
    },
}
