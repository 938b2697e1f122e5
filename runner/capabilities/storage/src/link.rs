//! `sidestep:storage/objects`: the interface's functions, each before the gate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sidestep_bindings::sidestep::host::types::{self as host, Failure as WitFailure};
use sidestep_bindings::sidestep::storage::objects as wit;
use sidestep_events::{Event, Failure, Location, Progress};
use sidestep_gate::functions::storage as functions;
use sidestep_gate::{
    Blob, CallError, Capability, NewIntent, NotCreated, Scratch, StepContext, StepState, convert,
};
use sidestep_policy::Capability as Key;
use sidestep_policy::storage::StorageCall;
use wasmtime::component::{Linker, Resource};

use super::{MADE_BY, Storage, Write, Written, records};
use crate::{Calls, HasCalls};

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::Storage,
    link,
};

/// The maximum number of bytes that `read` returns.
const LARGEST_READ: u64 = 4 << 20;
/// The number of bytes that are sent between two progress events.
const PROGRESS: u64 = 1 << 20;

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl Calls<'_> {
    fn storage(&self) -> wasmtime::Result<Arc<Storage>> {
        self.services.get("client for Cloud Storage")
    }

    /// Returns the refusal of a write that can replace an object, if the step may only create them.
    /// Only a write to generation 0 fails if the object exists.
    fn may_not_replace(&self, bucket: &str, name: &str, write: &Write) -> Option<Failure> {
        if write.if_generation_match == Some(0) {
            return None;
        }
        self.gate
            .permits(&about(bucket, Some(name), "update"))
            .err()
    }
}

impl wit::Host for Calls<'_> {
    async fn stat(
        &mut self,
        objects: Vec<wit::ObjectRef>,
    ) -> wasmtime::Result<Vec<Result<wit::Object, WitFailure>>> {
        let storage = self.storage();
        self.each(storage, objects, |gate, storage, object| async move {
            let call = about(&object.bucket, Some(&object.name), "get");
            let work = storage.stat(&object.bucket, &object.name, object.generation);
            gate.call(functions::STAT, &call)
                .run(work)
                .await
                .map(records::object)
        })
        .await
    }

    async fn read(
        &mut self,
        requests: Vec<wit::ReadRequest>,
    ) -> wasmtime::Result<Vec<Result<Vec<u8>, WitFailure>>> {
        let storage = self.storage();
        self.each(storage, requests, |gate, storage, wanted| async move {
            let (object, max) = (&wanted.object, wanted.max.min(LARGEST_READ));
            let call = about(&object.bucket, Some(&object.name), "get");
            let work = storage.read(&object.bucket, &object.name, object.generation, max);
            gate.call(functions::READ.of(max), &call).run(work).await
        })
        .await
    }

    async fn open(
        &mut self,
        objects: Vec<wit::ObjectRef>,
    ) -> wasmtime::Result<Vec<Result<Resource<Blob>, WitFailure>>> {
        let storage = self.storage();
        let scratch = self.services.find::<Scratch>();
        let folder = scratch.map_or_else(std::env::temp_dir, |scratch| scratch.0.clone());
        let ask = self.each(storage, objects, |gate, storage, object| {
            let folder = folder.clone();
            async move {
                let wit::ObjectRef {
                    bucket,
                    name,
                    generation,
                } = &object;
                let call = about(bucket, Some(name), "get");
                let space = gate.disk().space();
                let work = storage.open(bucket, name, *generation, &folder, space);
                gate.call(functions::OPEN, &call).run(work).await
            }
        });
        let mut blobs = Vec::new();
        for answer in ask.await? {
            blobs.push(match answer {
                Ok(blob) => Ok(self.table.push(blob)?),
                Err(why) => Err(why),
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
        let (blob, bytes) = match content {
            host::Content::Blob(blob) => (self.table.get(&blob)?.clone(), 0),
            host::Content::Bytes(bytes) => {
                let length = bytes.len();
                (Blob::from_bytes(bytes), length)
            }
        };
        let storage = self.storage()?;
        let intent = intent(&bucket, &name, options.on_exit);
        let write = marked(&self.step, options);
        let heard = progress(Arc::clone(&self.step), format!("uploading {name}"));
        // Boxed: the client's own future is large.
        let work = Box::pin(storage.put(&bucket, &name, blob, &write, heard));
        let written = self
            .gate
            .call(
                functions::PUT.of(bytes),
                &about(&bucket, Some(&name), "create"),
            )
            .and_unless(self.may_not_replace(&bucket, &name, &write))
            .create(intent, with_generation(work))
            .await?;
        Ok(records::written(&written))
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
        let write = marked(&self.step, options);
        // Reading the sources is part of the call, so each must be granted as well.
        for source in &sources {
            self.gate
                .call(
                    functions::COMPOSE,
                    &about(&bucket, Some(&source.name), "get"),
                )
                .run(async { Ok(()) })
                .await?;
        }
        let sources: Vec<(String, Option<u64>)> = sources
            .into_iter()
            .map(|source| (source.name, source.generation))
            .collect();
        let work = Box::pin(storage.compose(&bucket, &name, &sources, &write));
        let written = self
            .gate
            .call(functions::COMPOSE, &about(&bucket, Some(&name), "compose"))
            .and_unless(self.may_not_replace(&bucket, &name, &write))
            .create(intent, with_generation(work))
            .await?;
        Ok(records::written(&written))
    }

    async fn test_permissions(
        &mut self,
        queries: Vec<wit::PermissionQuery>,
    ) -> wasmtime::Result<Vec<Result<Vec<String>, WitFailure>>> {
        let storage = self.storage();
        self.each(storage, queries, |gate, storage, query| async move {
            let call = about(&query.bucket, None, "testPermissions");
            let work = storage.test_permissions(&query.bucket, &query.permissions);
            let granted = gate
                .call(functions::TEST_PERMISSIONS, &call)
                .run(work)
                .await;
            gate.shown()
                .rights(granted, |granted| granted.len() < query.permissions.len())
        })
        .await
    }

    async fn buckets(
        &mut self,
        names: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<wit::Bucket, WitFailure>>> {
        let storage = self.storage();
        self.each(storage, names, |gate, storage, name| async move {
            let call = about(&name, None, "getBucket");
            let work = storage.bucket(&name);
            let found = gate.call(functions::BUCKETS, &call).run(work).await;
            gate.shown()
                .rights(found.map(records::bucket), |bucket| !bucket.uniform_access)
        })
        .await
    }
}

/// Returns the written object, and the generation that the journal stores.
async fn with_generation(
    work: impl Future<Output = Result<Written, NotCreated>>,
) -> Result<(Written, String), NotCreated> {
    let written = work.await?;
    let generation = written.generation.to_string();
    Ok((written, generation))
}

/// Returns a function that reports the bytes sent so far, at intervals.
fn progress(step: Arc<StepContext>, label: String) -> impl Fn(u64, u64) + Send + Sync + 'static {
    let told = AtomicU64::new(0);
    move |done, total| {
        let due = told.load(Ordering::Relaxed) + PROGRESS;
        if done >= due || done == total {
            told.store(done, Ordering::Relaxed);
            step.emit(Event::Progress(Progress {
                label: label.as_str().into(),
                done,
                total: Some(total),
                unit: "bytes".into(),
            }));
        }
    }
}

/// Returns the options of a write; an object that is deleted with the step is marked with its
/// owner, so that no other owner's object is deleted.
fn marked(step: &StepContext, options: wit::PutOptions) -> Write {
    let goes = matches!(options.on_exit, host::OnExit::Delete);
    let mut write = records::write(options);
    if goes {
        write.metadata.insert(MADE_BY.to_owned(), step.made_by());
    }
    write
}

fn about<'a>(bucket: &'a str, object: Option<&'a str>, action: &'a str) -> StorageCall<'a> {
    StorageCall {
        bucket,
        object,
        action,
    }
}

fn intent(bucket: &str, name: &str, on_exit: wit::OnExit) -> NewIntent {
    NewIntent {
        kind: "object".to_owned(),
        location: Location::Bucket {
            bucket: bucket.to_owned(),
        },
        name: name.to_owned(),
        on_exit: convert::on_exit(on_exit),
        expiry: None,
    }
}
