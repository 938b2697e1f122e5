//! The cluster behind Google's side.

use std::sync::Arc;

use axum::Router;
use sidestep_sandbox_google::{Cloud, Clusters};
use sidestep_sandbox_tls::Authority;

use crate::activity::Activity;
use crate::live::{Held, Places};
use crate::own::Own;
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

    /// Serves what belongs to the cluster: the API server, or the metadata server of a node.
    pub(crate) fn serve(&self, cloud: &Cloud, activity: &Activity) {
        match self {
            Self::Own(own) => own.serve(activity),
            Self::Users(users) => users.serve(cloud, activity),
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

    /// Makes Google's names known to the pods of a node.
    pub(crate) async fn make_names_known(
        &self,
        router: Router,
        authority: &Authority,
        places: (&Places, &Held),
    ) {
        if let Self::Users(users) = self {
            users.make_names_known(router, authority, places).await;
        }
    }

    /// Ends the sandbox's own cluster.
    pub(crate) fn close(&self) {
        if let Self::Own(own) = self {
            own.close();
        }
    }
}
