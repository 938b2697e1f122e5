//! Keeps the watched state up to date.

use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use sidestep_sandbox_base::Watched;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::objects::{Account, Node, Pod};
use crate::rights::Namespaces;
use crate::state::State;

/// The duration of one watch, in seconds. A connection that is cut silently is noticed 5 s later.
const SECONDS: u32 = 30;
/// The first and the longest pause before a new list.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Watches pods, accounts and nodes until the guard is dropped.
pub(crate) fn start(client: &Client, namespaces: &Namespaces) -> (Arc<Watched<State>>, DropGuard) {
    let end = CancellationToken::new();
    let state = Arc::new(Watched::new(State::new(namespaces)));
    for (number, namespace) in namespaces.scopes().into_iter().enumerate() {
        let pods: Api<v1::Pod> = api(client, namespace);
        let accounts: Api<v1::ServiceAccount> = api(client, namespace);
        spawn(
            &end,
            follow(pods, Arc::clone(&state), move |state, event| {
                state.pods[number].apply(event, Pod::read);
            }),
        );
        spawn(
            &end,
            follow(accounts, Arc::clone(&state), move |state, event| {
                state.accounts[number].apply(event, Account::read);
            }),
        );
    }
    let nodes: Api<v1::Node> = Api::all(client.clone());
    spawn(
        &end,
        follow(nodes, Arc::clone(&state), |state, event| {
            state.nodes.apply(event, Node::read);
        }),
    );
    (state, end.drop_guard())
}

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

fn spawn(end: &CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
    let end = end.clone();
    tokio::spawn(async move {
        end.run_until_cancelled(task).await;
    });
}

/// Applies the events of a watch. After an error, the age of the copy is unknown, so it is not
/// current until the objects are listed again.
async fn follow<K>(
    api: Api<K>,
    state: Arc<Watched<State>>,
    apply: impl Fn(&mut State, Option<Event<K>>),
) where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let mut pause = PAUSES.0;
    loop {
        let mut events = pin!(watcher(api.clone(), Config::default().timeout(SECONDS)));
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    if matches!(event, Event::InitDone) {
                        pause = PAUSES.0;
                    }
                    state.write(|state| apply(state, Some(event)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a watch of the cluster was lost");
                    break;
                }
            }
        }
        state.write(|state| apply(state, None));
        tokio::time::sleep(pause).await;
        pause = PAUSES.1.min(pause * 2);
    }
}
