//! Requests to the API server.

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, PostParams, Preconditions};
use kube::{Client, Error as KubeError};

use crate::error::Error;
use crate::objects::{Kind, Wanted, is_ours, mark};

/// How often a write is made again when someone else wrote in between.
const ATTEMPTS: u32 = 5;

/// Returns whether the API server serves policies of version 1.
pub(crate) async fn has_policies(client: &Client) -> Result<bool, Error> {
    let served = client
        .list_api_group_resources("admissionregistration.k8s.io/v1")
        .await;
    let served = served.map_err(Error::api("read what the API server serves"))?;
    let serves = |kind: Kind| {
        served
            .resources
            .iter()
            .any(|known| known.name == kind.plural())
    };
    Ok(serves(Kind::Policy) && serves(Kind::Binding))
}

/// Returns an error if a namespace does not exist.
pub(crate) async fn check_namespace(client: &Client, name: &str) -> Result<(), Error> {
    let found = Api::<Namespace>::all(client.clone()).get_opt(name).await;
    match found.map_err(Error::api(format!("read namespace `{name}`")))? {
        Some(_) => Ok(()),
        None => Err(Error::NoNamespace(name.to_owned())),
    }
}

fn api(client: &Client, kind: Kind, namespace: Option<&str>) -> Api<DynamicObject> {
    let resource = kind.resource();
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// Creates an object, or replaces ours of that name. Never changes another one.
pub(crate) async fn put(client: &Client, wanted: &Wanted) -> Result<(), Error> {
    let api = api(client, wanted.kind, wanted.namespace.as_deref());
    let (kind, name) = (wanted.kind.name(), Wanted::name());
    let mut attempt = 0;
    loop {
        attempt += 1;
        let present = api.get_opt(name).await;
        let present = present.map_err(Error::api(format!("read {kind} `{name}`")))?;
        let mut object = wanted.object();
        let written = match present {
            None => api.create(&PostParams::default(), &object).await,
            Some(present) if is_ours(&present) => {
                // Refused if it is not the one that was read.
                object.metadata.resource_version = present.metadata.resource_version;
                api.replace(name, &PostParams::default(), &object).await
            }
            Some(_) => {
                return Err(Error::Foreign {
                    kind,
                    name: name.to_owned(),
                    namespace: wanted.namespace.clone(),
                });
            }
        };
        match written {
            Ok(_) => return Ok(()),
            Err(KubeError::Api(status)) if status.code == 409 && attempt < ATTEMPTS => {}
            Err(error) => return Err(Error::api(format!("write {kind} `{name}`"))(error)),
        }
    }
}

/// Deletes our objects of a kind in all namespaces, except some. Returns how many there were.
pub(crate) async fn sweep(client: &Client, kind: Kind, except: &[Wanted]) -> Result<usize, Error> {
    let what = |verb: &str| format!("{verb} {}", kind.plural());
    let marked = ListParams::default().labels(&mark());
    let ours = match api(client, kind, None).list(&marked).await {
        Ok(ours) => ours.items,
        // A kind that this API server does not serve.
        Err(KubeError::Api(status)) if status.code == 404 => return Ok(0),
        Err(error) => return Err(Error::api(what("list"))(error)),
    };
    let mut deleted = 0;
    for object in ours {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let namespace = object.metadata.namespace.as_deref();
        let kept = except.iter().any(|wanted| {
            wanted.kind == kind
                && name == Wanted::name()
                && wanted.namespace.as_deref() == namespace
        });
        if kept {
            continue;
        }
        let this_one = DeleteParams {
            preconditions: Some(Preconditions {
                uid: object.metadata.uid.clone(),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        match api(client, kind, namespace).delete(name, &this_one).await {
            Ok(_) => deleted += 1,
            // Someone else deleted it, or put another one in its place.
            Err(KubeError::Api(status)) if [404, 409].contains(&status.code) => {}
            Err(error) => return Err(Error::api(what("delete"))(error)),
        }
    }
    Ok(deleted)
}
