use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

use google_cloud_storage::client::Storage as Official;
use http::Method;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sidestep_events::{Class, Failure, Owner};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::OnceCell;

use super::source::BlobSource;
use super::{Bucket, Object};
use crate::Blob;
use crate::google::{Credentials, Endpoints, Rest, Service, of_client_error};

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
        let rest = Rest::new(Arc::clone(&endpoints), Arc::clone(&credentials))?;
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
        while let Some(chunk) = answer.next().await {
            let chunk = chunk.map_err(|error| of_client_error(&what, &error))?;
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
        while let Some(chunk) = answer.next().await {
            let chunk = chunk.map_err(|error| of_client_error(&what, &error))?;
            file.write_all(&chunk)
                .await
                .map_err(|error| disk(&what, &error))?;
        }
        file.flush().await.map_err(|error| disk(&what, &error))?;
        Blob::from_file(file.into_std().await).map_err(|error| disk(&what, &error))
    }

    /// Writes a blob's bytes; large ones in a session that survives lost connections. `heard` is
    /// told the bytes read for sending so far, and of how many.
    pub async fn put(
        &self,
        bucket: &str,
        name: &str,
        blob: Blob,
        write: &Write,
        heard: impl Fn(u64, u64) + Send + Sync + 'static,
    ) -> Result<Written, Failure> {
        let what = format!("write gs://{bucket}/{name}");
        // Making the bytes (packing, compressing) is work for a thread that may be held up. With
        // the checksum known beforehand the server refuses what was damaged on the way; sent after
        // the bytes, some servers take it for a part of them.
        let made = blob.clone();
        let (size, checksum) = tokio::task::spawn_blocking(move || checksum(&made))
            .await
            .map_err(|error| {
                Failure::bug(format!("making a blob's bytes ended by itself: {error}"))
            })?
            .map_err(|error| disk(&what, &error))?;
        let source = BlobSource::new(blob, size, Box::new(move |done| heard(done, size)));
        let mut request = self
            .official()
            .await?
            .write_object(resource(bucket), name, source);
        if let Some(generation) = write.if_generation_match {
            // With a precondition the client may send again what it doesn't know the fate of.
            request = request.set_if_generation_match(generation_number(generation)?);
        }
        if let Some(number) = write.if_metageneration_match {
            request = request.set_if_metageneration_match(generation_number(number)?);
        }
        if let Some(content_type) = &write.content_type {
            request = request.set_content_type(content_type);
        }
        if let Some(cache_control) = &write.cache_control {
            request = request.set_cache_control(cache_control);
        }
        if let Some(time) = write.custom_time {
            let time = google_cloud_wkt::Timestamp::new(time.as_second(), time.subsec_nanosecond())
                .map_err(|error| Failure::bug(format!("a time out of range: {error}")))?;
            request = request.set_custom_time(time);
        }
        request = request
            .set_metadata(write.metadata.clone())
            .with_known_crc32c(checksum);
        match request.send_unbuffered().await {
            Ok(object) => Ok(Written {
                generation: u64::try_from(object.generation).unwrap_or_default(),
                created: true,
                size: u64::try_from(object.size).unwrap_or_default(),
            }),
            Err(error) if error.http_status_code() == Some(412) => {
                self.already_there(bucket, name, &what, write).await
            }
            Err(error) => Err(of_client_error(&what, &error)),
        }
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

    /// Deletes one generation of an object; one that is gone is no failure.
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
            Err(failure) => Err(failure),
        }
    }

    /// What a failed precondition means: the object that was to be written, or another one.
    async fn already_there(
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

    async fn official(&self) -> Result<&Official, Failure> {
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

fn resource(bucket: &str) -> String {
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

fn generation_number(number: u64) -> Result<i64, Failure> {
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
fn disk(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        Class::Failed,
        "storage.local-bytes",
        Owner::Operator,
        format!("cannot {what}: the bytes can't be made or kept on this machine: {error}"),
    )
}

/// The number of a blob's bytes, and their CRC32C. Blocks.
fn checksum(blob: &Blob) -> std::io::Result<(u64, u32)> {
    let mut reader = blob.reader()?;
    let mut buffer = vec![0; 256 * 1024];
    let (mut size, mut checksum) = (0, 0);
    loop {
        let length = reader.read(&mut buffer)?;
        if length == 0 {
            return Ok((size, checksum));
        }
        size += length as u64;
        checksum = crc32c::crc32c_append(checksum, &buffer[..length]);
    }
}
