//! The client, and the calls that read metadata.

use std::sync::Arc;
use std::time::Duration;

use google_cloud_storage::client::Storage as Official;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::NotCreated;
use sidestep_google::{Credentials, Endpoints, Rest, Service};
use tokio::sync::OnceCell;

use super::{Bucket, Object};

/// The timeout of one answer of the JSON API. A request is not retried after this time either.
const PATIENCE: Duration = Duration::from_mins(1);

/// The characters of a name that are not escaped in a path (RFC 3986, unreserved characters).
const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Cloud Storage, with the credentials of this process.
///
/// The official client writes and reads objects; the calls that it has only over gRPC use the JSON
/// API.
#[derive(Debug)]
pub struct Storage {
    official: OnceCell<Official>,
    rest: Rest,
    endpoints: Arc<Endpoints>,
    credentials: Arc<Credentials>,
}

impl Storage {
    /// Creates a client for the endpoint that the operator set, or Google's.
    pub fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Self {
        let credentials = if endpoints.is_storage_anonymous() {
            Arc::new(Credentials::anonymous())
        } else {
            credentials
        };
        let rest = Rest::new(Arc::clone(&endpoints), Arc::clone(&credentials), PATIENCE);
        Self {
            official: OnceCell::new(),
            rest,
            endpoints,
            credentials,
        }
    }

    /// Returns facts about an object; class `not-found` if it does not exist.
    pub async fn stat(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<u64>,
    ) -> Result<Object, Failure> {
        let what = format!("get the metadata of gs://{bucket}/{name}");
        let query = generation
            .map(|number| format!("?generation={number}"))
            .unwrap_or_default();
        let path = format!("{}{query}", object_path(bucket, name));
        self.get(&what, &path)
            .await
            .map(|json| Object::of_json(&json))
    }

    /// Returns the subset of the permissions that this process has on the bucket.
    pub async fn test_permissions(
        &self,
        bucket: &str,
        permissions: &[String],
    ) -> Result<Vec<String>, Failure> {
        let what = format!("test permissions on gs://{bucket}");
        let query: Vec<String> = permissions
            .iter()
            .map(|permission| format!("permissions={}", utf8_percent_encode(permission, NAME)))
            .collect();
        let path = format!(
            "{}/iam/testPermissions?{}",
            bucket_path(bucket),
            query.join("&")
        );
        let json = self.get(&what, &path).await?;
        let held: Vec<&str> = json["permissions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        Ok(permissions
            .iter()
            .filter(|asked| held.contains(&asked.as_str()))
            .cloned()
            .collect())
    }

    /// Returns facts about a bucket.
    pub async fn bucket(&self, bucket: &str) -> Result<Bucket, Failure> {
        let what = format!("get the metadata of gs://{bucket}");
        self.get(&what, &bucket_path(bucket))
            .await
            .map(|json| Bucket::of_json(&json))
    }

    /// Deletes one generation of an object. It is not a failure if that generation is already gone,
    /// also if another one has replaced it.
    pub async fn delete(&self, bucket: &str, name: &str, generation: u64) -> Result<(), Failure> {
        let what = format!("delete gs://{bucket}/{name}");
        let path = format!(
            "{}?ifGenerationMatch={generation}",
            object_path(bucket, name)
        );
        match self.json(&what, Method::DELETE, &path, None).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.class == Class::NotFound => Ok(()),
            Err(failure) if failure.code == codes::google::PRECONDITION => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    async fn get(&self, what: &str, path: &str) -> Result<Value, Failure> {
        self.json(what, Method::GET, path, None).await
    }

    /// Makes a call of the JSON API.
    async fn json(
        &self,
        what: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        self.rest
            .call(what, method, Service::Storage, path, body)
            .await
    }

    /// Sends a request of the JSON API that creates an object.
    pub(super) async fn create(
        &self,
        what: &str,
        path: &str,
        body: &Value,
        repeatable: bool,
    ) -> Result<Value, NotCreated> {
        let rest = &self.rest;
        rest.create(what, Service::Storage, path, body, repeatable)
            .await
    }

    pub(super) async fn official(&self) -> Result<&Official, Failure> {
        let build = async || {
            let endpoint = self.endpoints.url(Service::Storage).unwrap_or_default();
            Official::builder()
                .with_endpoint(endpoint)
                .with_credentials(self.credentials.get()?)
                .build()
                .await
                .map_err(|error| {
                    Failure::new(
                        Class::Failed,
                        codes::storage::SETUP,
                        Owner::Operator,
                        format!("cannot create a Cloud Storage client: {error}"),
                    )
                })
        };
        self.official.get_or_try_init(build).await
    }
}

pub(super) fn resource(bucket: &str) -> String {
    format!("projects/_/buckets/{bucket}")
}

fn bucket_path(bucket: &str) -> String {
    format!("/storage/v1/b/{}", utf8_percent_encode(bucket, NAME))
}

pub(super) fn object_path(bucket: &str, name: &str) -> String {
    format!(
        "{}/o/{}",
        bucket_path(bucket),
        utf8_percent_encode(name, NAME)
    )
}
