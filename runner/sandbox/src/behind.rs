//! The cluster behind Google's side.

use std::sync::Arc;

use axum::Router;
use sidestep_sandbox_google::{Cloud, Clusters};
use tokio::sync::watch;

use crate::activity::Activity;
use crate::live::{Held, Places};
use crate::own::Own;
use crate::reach::ForPods;
use crate::users::{LiveCluster, Users};

/// The cluster behind Google's side.
pub(crate) enum Behind {
    /// The sandbox's own.
    Own(Own),
    /// One of the user's.
    Users(Users),
}

impl Behind {
    pub(crate) fn clusters(&self) -> Arc<dyn Clusters> {
        match self {
            Self::Own(own) => Arc::new(own.clusters()),
            Self::Users(users) => Arc::new(users.clusters()),
        }
    }

    /// Returns the URL of the API server.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Own(own) => format!("https://{}", own.address()),
            Self::Users(users) => format!("https://{}", users.address()),
        }
    }

    /// Returns a kubeconfig for a caller's token. A cluster of the user's knows no such tokens.
    pub(crate) fn kubeconfig(&self, token: &str) -> String {
        match self {
            Self::Own(own) => own.kubeconfig(token),
            Self::Users(users) => users.kubeconfig(),
        }
    }

    /// Serves the API server of the sandbox's own cluster.
    pub(crate) fn serve(&self, activity: &Activity) {
        if let Self::Own(own) = self {
            own.serve(activity);
        }
    }

    /// Returns the router of the DNS endpoint, which a cluster of the user's does not have.
    pub(crate) fn router(&self) -> Router {
        match self {
            Self::Own(own) => own.router(),
            Self::Users(_) => Router::new(),
        }
    }

    /// Lets pods run, once every server responds.
    pub(crate) fn begin(&self, cloud: &Cloud) {
        if let Self::Own(own) = self {
            own.begin(cloud);
        }
    }

    /// Returns the number of containers or pods that need the sandbox now.
    pub(crate) fn running(&self) -> usize {
        match self {
            Self::Own(own) => own.running(),
            Self::Users(users) => users.running(),
        }
    }

    /// Returns the description of a cluster of the user's.
    pub(crate) fn live(&self) -> Option<LiveCluster> {
        match self {
            Self::Own(_) => None,
            Self::Users(users) => Some(users.live()),
        }
    }

    /// Lets the pods of a user's cluster reach the sandbox.
    pub(crate) async fn open_to_pods(&self, servers: ForPods<'_>, disk: (&Places, &Held)) {
        if let Self::Users(users) = self {
            users.open_to_pods(servers, disk).await;
        }
    }

    /// Returns a receiver of the changes of [`Self::live`]; none if it never changes.
    pub(crate) fn changes(&self) -> Option<watch::Receiver<u64>> {
        match self {
            Self::Own(_) => None,
            Self::Users(users) => Some(users.pods.changes()),
        }
    }

    /// Ends the sandbox's own cluster.
    pub(crate) fn close(&self) {
        if let Self::Own(own) = self {
            own.close();
        }
    }
}
