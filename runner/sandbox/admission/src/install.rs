use kube::Client;

use crate::cluster::{check_namespace, has_policies, put, sweep};
use crate::error::Error;
use crate::installation::Installation;
use crate::names::Names;
use crate::namespaces::Namespaces;
use crate::objects::wanted;
use crate::webhook::Webhook;

/// The means by which the API server changes pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// A policy, which the API server evaluates itself.
    Policy,
    /// A webhook, which the API server calls.
    Webhook,
}

/// Makes the names known to the pods that are created in these namespaces from now on, and only
/// there. The webhook is used where the API server has no policies.
///
/// It replaces what the same installation created earlier. The API server takes up to a few seconds to follow:
/// [`is_in_force`](crate::is_in_force) waits for it.
///
/// # Errors
/// If a namespace does not exist, an object of the same name belongs to another installation or to
/// something else, or the API server refuses a request. What was created until then is found by [`remove`].
pub async fn install(
    client: &Client,
    installation: &Installation,
    names: &Names,
    namespaces: &Namespaces,
    webhook: Option<&Webhook>,
) -> Result<Means, Error> {
    for namespace in namespaces.iter() {
        check_namespace(client, namespace).await?;
    }
    let (means, webhook) = match (has_policies(client).await?, webhook) {
        (true, _) => (Means::Policy, None),
        (false, Some(webhook)) => (Means::Webhook, Some(webhook)),
        (false, None) => return Err(Error::NoPolicies),
    };
    install_by(client, installation, names, namespaces, webhook).await?;
    Ok(means)
}

/// Installs a webhook if one is given, and otherwise a policy.
pub(crate) async fn install_by(
    client: &Client,
    installation: &Installation,
    names: &Names,
    namespaces: &Namespaces,
    webhook: Option<&Webhook>,
) -> Result<(), Error> {
    let wanted = wanted(names, namespaces, webhook);
    for object in &wanted {
        put(client, installation, object).await?;
    }
    sweep(client, installation, &wanted).await.result()?;
    Ok(())
}

/// Removes the objects of an installation in all namespaces. Returns how many there were.
///
/// Pods that were changed keep their changes.
///
/// # Errors
/// The first refusal of the API server, once everything else was tried.
pub async fn remove(client: &Client, installation: &Installation) -> Result<usize, Error> {
    sweep(client, installation, &[]).await.result()
}
