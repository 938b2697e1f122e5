//! Requests to the API server.

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, PostParams, Preconditions};
use kube::{Client, Error as KubeError};

use crate::error::Error;
use crate::installation::Installation;
use crate::objects::{Kind, Of, Wanted};

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

/// Creates an object of an installation, or replaces its own of that name. Never changes another one.
pub(crate) async fn put(
    client: &Client,
    installation: &Installation,
    wanted: &Wanted,
) -> Result<(), Error> {
    let api = api(client, wanted.kind, wanted.namespace.as_deref());
    let (kind, name) = (wanted.kind.name(), Wanted::name());
    let mut attempt = 0;
    loop {
        attempt += 1;
        let present = api.get_opt(name).await;
        let present = present.map_err(Error::api(format!("read {kind} `{name}`")))?;
        let mut object = wanted.object(installation);
        let written = match present.map(|present| (Of::read(&present, installation), present)) {
            None => api.create(&PostParams::default(), &object).await,
            Some((Of::This, present)) => {
                // Refused if it is not the one that was read.
                object.metadata.resource_version = present.metadata.resource_version;
                api.replace(name, &PostParams::default(), &object).await
            }
            Some((Of::Another(of), _)) => {
                return Err(Error::Another {
                    kind,
                    name: name.to_owned(),
                    namespace: wanted.namespace.clone(),
                    of,
                });
            }
            Some((Of::Foreign, _)) => {
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

/// The result of a removal.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// The number of deleted objects.
    pub(crate) deleted: usize,
    /// The first failure. It did not end the removal.
    pub(crate) failed: Option<Error>,
}

impl Swept {
    fn failed(mut self, error: Error) -> Self {
        self.failed.get_or_insert(error);
        self
    }

    /// Returns the number of deleted objects.
    ///
    /// # Errors
    /// The first failure.
    pub(crate) fn result(self) -> Result<usize, Error> {
        self.failed.map_or(Ok(self.deleted), Err)
    }
}

/// Deletes the objects of an installation in all namespaces, except some: every kind and every
/// object is tried, the last created first.
pub(crate) async fn sweep(client: &Client, of: &Installation, except: &[Wanted]) -> Swept {
    let mut swept = Swept::default();
    for kind in Kind::ALL.into_iter().rev() {
        swept = sweep_kind(client, of, kind, except, swept).await;
    }
    swept
}

async fn sweep_kind(
    client: &Client,
    of: &Installation,
    kind: Kind,
    except: &[Wanted],
    mut swept: Swept,
) -> Swept {
    let what = |verb: &str| format!("{verb} {}", kind.plural());
    let own = ListParams::default().labels(&of.selector());
    let own = match api(client, kind, None).list(&own).await {
        Ok(own) => own.items,
        // A kind that this API server does not serve.
        Err(KubeError::Api(status)) if status.code == 404 => return swept,
        Err(error) => return swept.failed(Error::api(what("list"))(error)),
    };
    for object in own {
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
            Ok(_) => swept.deleted += 1,
            // Someone else deleted it, or put another one in its place.
            Err(KubeError::Api(status)) if [404, 409].contains(&status.code) => {}
            Err(error) => swept = swept.failed(Error::api(what("delete"))(error)),
        }
    }
    swept
}
