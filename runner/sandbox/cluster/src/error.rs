use crate::rights::{Right, User};

/// The reason why a cluster cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The kubeconfig cannot be read.
    #[error("the kubeconfig can't be read: {0}")]
    Kubeconfig(String),
    /// The kubeconfig has no such context.
    #[error("the kubeconfig has no context `{context}`{}", listed(known))]
    UnknownContext {
        /// The requested context.
        context: String,
        /// The contexts of the kubeconfig.
        known: Vec<String>,
    },
    /// The context's cluster, user or credentials cannot be used.
    #[error("context `{context}` can't be used: {why}")]
    Context {
        /// The context.
        context: String,
        /// The client's message.
        why: String,
    },
    /// The API server does not answer.
    #[error("the API server {server} of context `{context}` does not answer: {why}")]
    Unreachable {
        /// The context.
        context: String,
        /// The API server's host and port.
        server: String,
        /// The client's message.
        why: String,
    },
    /// The API server answers with an error.
    #[error("the API server {server} of context `{context}` refuses to {what}: {why}")]
    Refused {
        /// The context.
        context: String,
        /// The API server's host and port.
        server: String,
        /// The request.
        what: &'static str,
        /// The API server's message.
        why: String,
    },
    /// The context's user lacks permissions.
    #[error(
        "{user} of context `{context}` may not {}",
        missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Rights {
        /// The context.
        context: String,
        /// The user, as the API server knows it.
        user: User,
        /// The missing permissions.
        missing: Vec<Right>,
        /// The namespaces that the sandbox serves.
        namespaces: crate::Namespaces,
    },
    /// The cluster's nodes have a metadata server already.
    #[error(
        "the nodes of context `{context}` already have a metadata server at 169.254.169.254: node \
         `{node}` is a machine of {cloud} ({evidence})"
    )]
    OtherMetadataServer {
        /// The context.
        context: String,
        /// One of the nodes.
        node: String,
        /// The cloud.
        cloud: &'static str,
        /// The part of the node that shows it.
        evidence: String,
    },
}

fn listed(known: &[String]) -> String {
    match known {
        [] => "; it has none".to_owned(),
        known => format!("; its contexts are {}", known.join(", ")),
    }
}
