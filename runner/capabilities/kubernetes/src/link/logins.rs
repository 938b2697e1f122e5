//! The registry credentials in a Secret.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret as Object;
use kube::Api;
use sidestep_bindings::sidestep::kubernetes::objects as wit;
use sidestep_contract::registry::login_key;
use sidestep_events::{Class, Command, Failure, Owner, codes};
use sidestep_gate::functions::kubernetes as functions;
use sidestep_gate::{CallError, Logins, Secret};
use sidestep_policy::kubernetes::LoginsCall;

use super::super::Clusters;
use super::super::failure::of_error;
use super::super::objects::is_absent;
use super::super::tries::tried;
use super::address::wrong_part;
use crate::Calls;

/// The type of Secrets with registry credentials (Kubernetes, "Types of Secret").
const KIND: &str = "kubernetes.io/dockerconfigjson";
/// Their only entry.
const ENTRY: &str = ".dockerconfigjson";

impl Calls<'_> {
    /// Reads a Secret's registry credentials, and masks them before anything else gets them.
    pub(super) async fn logins(
        &mut self,
        query: wit::LoginsQuery,
    ) -> Result<wit::Logins, CallError> {
        let clusters = self.clusters()?;
        let call = LoginsCall {
            cluster: &query.cluster,
            namespace: &query.namespace,
            secret: &query.secret,
        };
        let wrong =
            wrong_part("namespace", &query.namespace).or_else(|| wrong_part("name", &query.secret));
        let gate = Arc::clone(&self.gate);
        let (text, logins) = gate
            .call(functions::REGISTRY_LOGINS, &call)
            .and_unless(wrong)
            .run(read(&clusters, &query))
            .await?;
        let room = gate.charge(functions::LOGINS.of(text.len())).await?;
        for secret in logins.secrets() {
            self.step.masks.add(secret).map_err(|why| {
                let what = format!("a password in Secret {}/{}", query.namespace, query.secret);
                why.failure(&what, Owner::Author)
            })?;
        }
        let missing = query.repositories.into_iter().filter(|repository| {
            let (host, path) = repository.split_once('/').unwrap_or((repository, ""));
            logins.find(host, path).is_none()
        });
        let missing = missing.collect();
        let login = self
            .table
            .push(Secret::new(text).keeping(room.of_handle()))?;
        Ok(wit::Logins { login, missing })
    }
}

/// Returns the Secret's document, and the credentials in it.
async fn read(clusters: &Clusters, query: &wit::LoginsQuery) -> Result<(String, Logins), Failure> {
    let client = clusters.client(&query.cluster).await?;
    let api = Api::<Object>::namespaced(client, &query.namespace);
    let named = format!("Secret {}/{}", query.namespace, query.secret);
    let found = tried(|| api.get(&query.secret)).await;
    let secret = found.map_err(|error| match &error {
        kube::Error::Api(status) if is_absent(status, &query.secret) => Failure::new(
            Class::NotFound,
            codes::registry::SECRET_MISSING,
            Owner::Author,
            format!("{named} does not exist, so there are no credentials for registries"),
        )
        .with_help("correct its name, or create it:")
        .with_helps(create(query)),
        error => of_error(&format!("get the registry credentials in {named}"), error),
    })?;
    let unusable = |why: String| {
        Failure::new(
            Class::InvalidInput,
            codes::registry::SECRET_UNUSABLE,
            Owner::Author,
            format!("{named} holds no registry credentials: {why}"),
        )
        .with_help("create another one, and use its name:")
        .with_helps(create(query))
    };
    let kind = secret.type_.as_deref().unwrap_or("Opaque");
    if kind != KIND {
        return Err(unusable(format!("its type is {kind}, not {KIND}")));
    }
    let entry = secret.data.as_ref().and_then(|data| data.get(ENTRY));
    let bytes = entry.map(|entry| entry.0.clone()).unwrap_or_default();
    let text = String::from_utf8(bytes)
        .map_err(|_| unusable(format!("the bytes of its entry `{ENTRY}` are not a text")))?;
    let logins = Logins::parse(&text)
        .map_err(|why| unusable(format!("its entry `{ENTRY}` can't be used: {why}")))?;
    Ok((text, logins))
}

/// Returns the command that creates such a Secret. The reader fills in user and password.
fn create(query: &wit::LoginsQuery) -> Option<Command> {
    let server = query.repositories.first().map_or("REGISTRY", |repository| {
        login_key(repository.split('/').next().unwrap_or(repository))
    });
    Command::new(&["kubectl", "create", "secret", "docker-registry"])
        .value(&query.secret)
        .option("-n", &query.namespace)
        .option("--docker-server", server)
        .words(&["--docker-username=USER", "--docker-password=PASSWORD"])
        .build()
}

#[cfg(test)]
mod tests;
