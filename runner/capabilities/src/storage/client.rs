use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use google_cloud_storage::client::Storage as Official;
use http::Method;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sidestep_events::{Class, Failure, Owner};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::OnceCell;

use super::silence::chunk;
use super::{Bucket, Object};
use crate::Blob;
use crate::google::{Credentials, Endpoints, Rest, Service, of_client_error};

/// How long one answer of the JSON API may take, and after how long a request is not sent again.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a name keeps unescaped in a path (RFC 3986, unreserved characters).
const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Cloud Storage, as the credentials of this process.
///
/// Writing and reading objects is the official client's; what that one has only over gRPC goes
/// over the JSON API.
#[derive(Debug)]
pub struct Storage {
    official: OnceCell<Official>,
    rest: Rest,
    endpoints: Arc<Endpoints>,
    credentials: Arc<Credentials>,
}

/// How an object is written.
#[derive(Debug, Clone, Default)]
pub struct Write {
    /// The live generation must be this one; 0: there must be none.
    pub if_generation_match: Option<u64>,
    /// The live metadata must be this one.
    pub if_metageneration_match: Option<u64>,
    /// The media type.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// The custom time.
    pub custom_time: Option<Timestamp>,
    /// The custom metadata.
    pub metadata: BTreeMap<String, String>,
}

/// What a write came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The live generation.
    pub generation: u64,
    /// Whether it was written now, not found with the same metadata.
    pub created: bool,
    /// Its size in bytes.
    pub size: u64,
}

impl Storage {
    /// Calls the endpoint that the operator set, or Google's.
    ///
    /// # Errors
    /// When no HTTP client can be made on this machine.
    pub fn new(endpoints: Arc<Endpoints>, credentials: Arc<Credentials>) -> Result<Self, Failure> {
        let credentials = if endpoints.is_storage_anonymous() {
            Arc::new(Credentials::anonymous())
        } else {
            credentials
        };
        let rest = Rest::new(Arc::clone(&endpoints), Arc::clone(&credentials), PATIENCE)?;
        Ok(Self {
            official: OnceCell::new(),
            rest,
            endpoints,
            credentials,
        })
    }

    /// Facts about an object; class `not-found` if it is not there.
    pub async fn stat(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<u64>,
    ) -> Result<Object, Failure> {
        let what = format!("look at gs://{bucket}/{name}");
        let query = generation
            .map(|number| format!("?generation={number}"))
            .unwrap_or_default();
        let path = format!("{}{query}", object_path(bucket, name));
        self.get(&what, &path)
            .await
            .map(|json| Object::of_json(&json))
    }

    /// An object's bytes. One of more than `max` bytes is class `exhausted`.
    pub async fn read(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<u64>,
        max: u64,
    ) -> Result<Vec<u8>, Failure> {
        let what = format!("read gs://{bucket}/{name}");
        let mut request = self.official().await?.read_object(resource(bucket), name);
        if let Some(generation) = generation {
            request = request.set_generation(generation_number(generation)?);
        }
        let mut answer = request
            .send()
            .await
            .map_err(|error| of_client_error(&what, &error))?;
        let mut bytes = Vec::new();
        while let Some(chunk) = chunk(&what, answer.next()).await? {
            if (bytes.len() + chunk.len()) as u64 > max {
                return Err(Failure::new(
                    Class::Exhausted,
                    "storage.too-large",
                    Owner::Author,
                    format!("cannot {what}: it is larger than {max} bytes"),
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// An object as a blob, kept in an unnamed file.
    pub async fn open(
        &self,
        bucket: &str,
        name: &str,
        generation: Option<u64>,
    ) -> Result<Blob, Failure> {
        let what = format!("read gs://{bucket}/{name}");
        let mut request = self.official().await?.read_object(resource(bucket), name);
        if let Some(generation) = generation {
            request = request.set_generation(generation_number(generation)?);
        }
        let mut answer = request
            .send()
            .await
            .map_err(|error| of_client_error(&what, &error))?;
        let file = tempfile::tempfile().map_err(|error| disk(&what, &error))?;
        let mut file = tokio::fs::File::from_std(file);
        while let Some(chunk) = chunk(&what, answer.next()).await? {
            file.write_all(&chunk)
                .await
                .map_err(|error| disk(&what, &error))?;
        }
        file.flush().await.map_err(|error| disk(&what, &error))?;
        Blob::from_file(file.into_std().await).map_err(|error| disk(&what, &error))
    }

    /// Joins objects of a bucket, at most 32, to one (JSON API, `objects.compose`).
    pub async fn compose(
        &self,
        bucket: &str,
        name: &str,
        sources: &[(String, Option<u64>)],
        write: &Write,
    ) -> Result<Written, Failure> {
        let what = format!("compose gs://{bucket}/{name}");
        let sources: Vec<Value> = sources
            .iter()
            .map(|(name, generation)| match generation {
                Some(number) => json!({"name": name, "generation": number.to_string()}),
                None => json!({"name": name}),
            })
            .collect();
        let body = json!({
            "sourceObjects": sources,
            "destination": {
                "contentType": write.content_type,
                "cacheControl": write.cache_control,
                "metadata": write.metadata,
                "customTime": write.custom_time.map(|time| time.to_string()),
            },
        });
        let query = write
            .if_generation_match
            .map(|number| format!("?ifGenerationMatch={number}"))
            .unwrap_or_default();
        let path = format!("{}/compose{query}", object_path(bucket, name));
        match self
            .rest
            .call(&what, Method::POST, Service::Storage, &path, Some(&body))
            .await
        {
            Ok(json) => {
                let object = Object::of_json(&json);
                Ok(Written {
                    generation: object.generation,
                    created: true,
                    size: object.size,
                })
            }
            Err(failure) if failure.code == "google.precondition" => {
                self.already_there(bucket, name, &what, write).await
            }
            Err(failure) => Err(failure),
        }
    }

    /// Which of the permissions this process has on the bucket.
    pub async fn test_permissions(
        &self,
        bucket: &str,
        permissions: &[String],
    ) -> Result<Vec<String>, Failure> {
        let what = format!("ask for permissions on gs://{bucket}");
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

    /// Facts about a bucket.
    pub async fn bucket(&self, bucket: &str) -> Result<Bucket, Failure> {
        let what = format!("look at gs://{bucket}");
        self.get(&what, &bucket_path(bucket))
            .await
            .map(|json| Bucket::of_json(&json))
    }

    /// Deletes one generation of an object; one that is gone is no failure, also where another one
    /// has taken its place.
    pub async fn delete(&self, bucket: &str, name: &str, generation: u64) -> Result<(), Failure> {
        let what = format!("delete gs://{bucket}/{name}");
        let path = format!(
            "{}?ifGenerationMatch={generation}",
            object_path(bucket, name)
        );
        match self
            .rest
            .call(&what, Method::DELETE, Service::Storage, &path, None)
            .await
        {
            Ok(_) => Ok(()),
            Err(failure) if failure.class == Class::NotFound => Ok(()),
            Err(failure) if failure.code == "google.precondition" => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// What a failed precondition means: the object that was to be written, or another one.
    pub(super) async fn already_there(
        &self,
        bucket: &str,
        name: &str,
        what: &str,
        write: &Write,
    ) -> Result<Written, Failure> {
        let live = self.stat(bucket, name, None).await?;
        let same = write.if_generation_match == Some(0)
            && write
                .metadata
                .iter()
                .all(|(key, value)| live.metadata.get(key) == Some(value));
        if same {
            return Ok(Written {
                generation: live.generation,
                created: false,
                size: live.size,
            });
        }
        Err(Failure::new(
            Class::Conflict,
            "storage.conflict",
            Owner::Author,
            format!("cannot {what}: an object of that name with other metadata is there already"),
        )
        .with_detail("generation", live.generation))
    }

    async fn get(&self, what: &str, path: &str) -> Result<Value, Failure> {
        self.rest
            .call(what, Method::GET, Service::Storage, path, None)
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
                        "storage.setup",
                        Owner::Operator,
                        format!("no Cloud Storage client can be made: {error}"),
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

fn object_path(bucket: &str, name: &str) -> String {
    format!(
        "{}/o/{}",
        bucket_path(bucket),
        utf8_percent_encode(name, NAME)
    )
}

pub(super) fn generation_number(number: u64) -> Result<i64, Failure> {
    i64::try_from(number).map_err(|_| {
        Failure::new(
            Class::InvalidInput,
            "storage.generation",
            Owner::Plugin,
            format!("{number} is no generation"),
        )
    })
}

/// A failure of this machine's own files.
pub(super) fn disk(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        Class::Failed,
        "storage.local-bytes",
        Owner::Operator,
        format!("cannot {what}: the bytes can't be made or kept on this machine: {error}"),
    )
}
