//! The watched state of a cluster.

use crate::mirror::Mirror;
use crate::objects::{Account, Node, Pod, ServiceAccount};
use crate::rights::Namespaces;

/// The copies of all watches: of nodes, and of pods and accounts once for the whole cluster, or once
/// for each namespace.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) pods: Vec<Mirror<Pod>>,
    pub(crate) accounts: Vec<Mirror<Account>>,
    pub(crate) nodes: Mirror<Node>,
    /// Whether the pods of all namespaces are watched.
    pub(crate) has_all_pods: bool,
}

impl State {
    /// Creates the state for the watches of these namespaces.
    pub(crate) fn new(namespaces: &Namespaces) -> Self {
        let watches = namespaces.scopes().len();
        Self {
            has_all_pods: *namespaces == Namespaces::All,
            pods: std::iter::repeat_with(Mirror::default)
                .take(watches)
                .collect(),
            accounts: std::iter::repeat_with(Mirror::default)
                .take(watches)
                .collect(),
            nodes: Mirror::default(),
        }
    }

    /// Returns whether every copy follows its objects.
    pub(crate) fn is_current(&self) -> bool {
        self.nodes.is_current()
            && self.pods.iter().all(Mirror::is_current)
            && self.accounts.iter().all(Mirror::is_current)
    }

    pub(crate) fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().flat_map(Mirror::objects)
    }

    pub(crate) fn has_pod(&self, uid: &str) -> bool {
        self.pods.iter().any(|mirror| mirror.has(uid))
    }

    pub(crate) fn account(&self, namespace: &str, name: &str) -> Option<&ServiceAccount> {
        let mut all = self.accounts.iter().flat_map(Mirror::objects);
        all.find(|account| account.namespace == namespace && account.name == name)
            .map(|account| &account.account)
    }
}
