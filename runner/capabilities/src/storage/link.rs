//! `sidestep:storage/objects`: the interface's functions, each before the gate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use sidestep_events::{Event, OnExit, Place, Progress};
use sidestep_policy::Capability as Key;
use sidestep_policy::storage::Request;
use wasmtime::component::{HasSelf, Linker, Resource};

use super::{MADE_BY, Storage, Write, Written};
use crate::bindings::sidestep::host::types::{self as host, Failure as WitFailure};
use crate::bindings::sidestep::storage::objects as wit;
use crate::convert::milliseconds;
use crate::{Blob, CallError, Capability, NewIntent, StepState};

/// Grant key, interface and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::Storage,
    interface: "sidestep:storage/objects",
    version: "0.1.0",
    link,
};

/// The most bytes that `read` gives.
const LARGEST_READ: u64 = 4 << 20;
/// How many bytes are sent between two progress events.
const PROGRESS: u64 = 1 << 20;

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<StepState>>(linker, |state| state)
}

impl wit::Host for StepState {
    async fn stat(
        &mut self,
        objects: Vec<wit::ObjectRef>,
    ) -> wasmtime::Result<Vec<Result<wit::Object, WitFailure>>> {
        let (gate, storage) = (Arc::clone(&self.gate), self.storage()?);
        let answers = gate.each(objects, |object| {
            let storage = &storage;
            let gate = &gate;
            async move {
                let call = request(&object.bucket, Some(&object.name), "get");
                gate.call("stat", &call)
                    .run(storage.stat(&object.bucket, &object.name, object.generation))
                    .await
            }
        });
        let answers = answers.await.into_iter();
        Ok(answers
            .map(|answer| answer.map(object).map_err(|why| self.failure(why)))
            .collect())
    }

    async fn read(
        &mut self,
        requests: Vec<wit::ReadRequest>,
    ) -> wasmtime::Result<Vec<Result<Vec<u8>, WitFailure>>> {
        let (gate, storage) = (Arc::clone(&self.gate), self.storage()?);
        let answers = gate.each(requests, |wanted| {
            let storage = &storage;
            let gate = &gate;
            async move {
                let object = &wanted.object;
                let max = wanted.max.min(LARGEST_READ);
                gate.call("read", &request(&object.bucket, Some(&object.name), "get"))
                    .run(storage.read(&object.bucket, &object.name, object.generation, max))
                    .await
            }
        });
        let answers = answers.await.into_iter();
        Ok(answers
            .map(|answer| answer.map_err(|why| self.failure(why)))
            .collect())
    }

    async fn open(
        &mut self,
        objects: Vec<wit::ObjectRef>,
    ) -> wasmtime::Result<Vec<Result<Resource<Blob>, WitFailure>>> {
        let (gate, storage) = (Arc::clone(&self.gate), self.storage()?);
        let answers = gate.each(objects, |object| {
            let storage = &storage;
            let gate = &gate;
            async move {
                gate.call("open", &request(&object.bucket, Some(&object.name), "get"))
                    .run(storage.open(&object.bucket, &object.name, object.generation))
                    .await
            }
        });
        let mut blobs = Vec::new();
        for answer in answers.await {
            blobs.push(match answer {
                Ok(blob) => Ok(self.table.push(blob)?),
                Err(why) => Err(self.failure(why)),
            });
        }
        Ok(blobs)
    }

    async fn put(
        &mut self,
        bucket: String,
        name: String,
        content: wit::Content,
        options: wit::PutOptions,
    ) -> Result<wit::Written, CallError> {
        let blob = match content {
            host::Content::Blob(blob) => self.table.get(&blob)?.clone(),
            host::Content::Bytes(bytes) => Blob::from_bytes(bytes),
        };
        let storage = self.storage()?;
        let step = Arc::clone(&self.step);
        let intent = intent(&bucket, &name, options.on_exit);
        let write = self.marked(options);
        let work = async {
            let told = AtomicU64::new(0);
            let label = format!("uploading {name}");
            let written = storage
                .put(&bucket, &name, blob, &write, move |done, total| {
                    let due = told.load(Ordering::Relaxed) + PROGRESS;
                    if done >= due || done == total {
                        told.store(done, Ordering::Relaxed);
                        step.emit(Event::Progress(Progress {
                            label: label.clone(),
                            done,
                            total: Some(total),
                            unit: "bytes".to_owned(),
                        }));
                    }
                })
                .await?;
            let generation = written.generation.to_string();
            Ok((written, generation))
        };
        let written = self
            .gate
            .call("put", &request(&bucket, Some(&name), "create"))
            .create(intent, work)
            .await?;
        Ok(outcome(&written))
    }

    async fn compose(
        &mut self,
        bucket: String,
        name: String,
        sources: Vec<wit::Source>,
        options: wit::PutOptions,
    ) -> Result<wit::Written, CallError> {
        let storage = self.storage()?;
        let intent = intent(&bucket, &name, options.on_exit);
        let write = self.marked(options);
        // Reading the sources is part of the call, so each must be granted as well.
        for source in &sources {
            self.gate
                .call("compose", &request(&bucket, Some(&source.name), "get"))
                .run(async { Ok(()) })
                .await?;
        }
        let sources: Vec<(String, Option<u64>)> = sources
            .into_iter()
            .map(|source| (source.name, source.generation))
            .collect();
        let work = async {
            let written = storage.compose(&bucket, &name, &sources, &write).await?;
            let generation = written.generation.to_string();
            Ok((written, generation))
        };
        let written = self
            .gate
            .call("compose", &request(&bucket, Some(&name), "compose"))
            .create(intent, work)
            .await?;
        Ok(outcome(&written))
    }

    async fn test_permissions(
        &mut self,
        queries: Vec<wit::PermissionQuery>,
    ) -> wasmtime::Result<Vec<Result<Vec<String>, WitFailure>>> {
        let (gate, storage) = (Arc::clone(&self.gate), self.storage()?);
        let answers = gate.each(queries, |query| {
            let storage = &storage;
            let gate = &gate;
            async move {
                gate.call(
                    "test-permissions",
                    &request(&query.bucket, None, "testPermissions"),
                )
                .run(storage.test_permissions(&query.bucket, &query.permissions))
                .await
            }
        });
        let answers = answers.await.into_iter();
        Ok(answers
            .map(|answer| answer.map_err(|why| self.failure(why)))
            .collect())
    }

    async fn buckets(
        &mut self,
        names: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<wit::Bucket, WitFailure>>> {
        let (gate, storage) = (Arc::clone(&self.gate), self.storage()?);
        let answers = gate.each(names, |name| {
            let storage = &storage;
            let gate = &gate;
            async move {
                gate.call("buckets", &request(&name, None, "getBucket"))
                    .run(storage.bucket(&name))
                    .await
            }
        });
        let answers = answers.await.into_iter();
        Ok(answers
            .map(|answer| answer.map(bucket).map_err(|why| self.failure(why)))
            .collect())
    }
}

impl StepState {
    fn storage(&self) -> wasmtime::Result<Arc<Storage>> {
        self.services
            .storage
            .clone()
            .ok_or_else(|| wasmtime::Error::msg("this run has no client for Cloud Storage"))
    }
}

fn request<'a>(bucket: &'a str, object: Option<&'a str>, action: &'a str) -> Request<'a> {
    Request {
        bucket,
        object,
        action,
    }
}

fn intent(bucket: &str, name: &str, on_exit: wit::OnExit) -> NewIntent {
    NewIntent {
        kind: "object".to_owned(),
        place: Place::Bucket {
            bucket: bucket.to_owned(),
        },
        name: name.to_owned(),
        on_exit: match on_exit {
            host::OnExit::Keep => OnExit::Keep,
            host::OnExit::Delete => OnExit::Delete,
        },
        expiry: None,
    }
}

impl StepState {
    /// How to write it; what goes with the step says whose it is, so that nobody else's is removed.
    fn marked(&self, options: wit::PutOptions) -> Write {
        let goes = matches!(options.on_exit, wit::OnExit::Delete);
        let mut write = write_of(options);
        if goes {
            let step = &self.step;
            let by = format!("{}/{}/{}", step.run, step.instance, step.attempt);
            write.metadata.insert(MADE_BY.to_owned(), by);
        }
        write
    }
}

fn write_of(options: wit::PutOptions) -> Write {
    Write {
        if_generation_match: options.preconditions.if_generation_match,
        if_metageneration_match: options.preconditions.if_metageneration_match,
        content_type: options.content_type,
        cache_control: options.cache_control,
        custom_time: options.custom_time.and_then(time_of),
        metadata: options
            .metadata
            .into_iter()
            .map(|entry| (entry.key, entry.value))
            .collect(),
    }
}

fn outcome(written: &Written) -> wit::Written {
    wit::Written {
        generation: written.generation,
        outcome: if written.created {
            host::Creation::Created
        } else {
            host::Creation::AlreadyThere
        },
        size: written.size,
    }
}

fn object(object: super::Object) -> wit::Object {
    wit::Object {
        bucket: object.bucket,
        name: object.name,
        generation: object.generation,
        metageneration: object.metageneration,
        size: object.size,
        crc32c: object.crc32c,
        content_type: object.content_type,
        content_encoding: object.content_encoding,
        storage_class: object.storage_class,
        created: object.created.map(milliseconds).unwrap_or_default(),
        custom_time: object.custom_time.map(milliseconds),
        metadata: object
            .metadata
            .into_iter()
            .map(|(key, value)| wit::MetadataEntry { key, value })
            .collect(),
    }
}

fn bucket(bucket: super::Bucket) -> wit::Bucket {
    wit::Bucket {
        name: bucket.name,
        project_number: bucket.project_number,
        location: bucket.location,
        storage_class: bucket.storage_class,
        uniform_access: bucket.uniform_access,
        public_access_prevention: bucket.public_access_prevention,
        versioning: bucket.versioning,
        kms_key: bucket.kms_key,
        lifecycle: if bucket.lifecycle.is_array() {
            bucket.lifecycle.to_string()
        } else {
            "[]".to_owned()
        },
    }
}

fn time_of(milliseconds: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(milliseconds).ok()?).ok()
}
