//! `registry`: images in registries.

mod answer;
mod call;
mod challenge;
mod client;
mod failure;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod index;
mod reference;
#[cfg(test)]
mod tests;

pub use client::{Descriptor, Registry};
pub use reference::{Image, Repository};

use std::sync::Arc;

use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_bindings::sidestep::registry::images as wit;
use sidestep_events::{Class, Failure, Location, OnExit, Owner, codes};
use sidestep_gate::functions::registry as functions;
use sidestep_gate::{CallError, Capability, NewIntent, NotCreated, StepState};
use sidestep_policy::Capability as Key;
use sidestep_policy::registry::RegistryCall;
use wasmtime::component::Linker;

sidestep_gate::calls!();

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::Registry,
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl Calls<'_> {
    fn registry(&self) -> wasmtime::Result<Arc<Registry>> {
        self.services.get("client for registries")
    }
}

impl wit::Host for Calls<'_> {
    async fn resolve(
        &mut self,
        images: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<wit::Descriptor, WitFailure>>> {
        let registry = self.registry();
        self.each(registry, images, |gate, registry, image| async move {
            let call = about(&image, "resolve");
            let work = async { registry.resolve(&Image::parse(&image)?).await };
            gate.call(functions::RESOLVE, &call)
                .run(work)
                .await
                .map(descriptor)
        })
        .await
    }

    async fn manifest(
        &mut self,
        images: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<wit::ManifestText, WitFailure>>> {
        let registry = self.registry();
        self.each(registry, images, |gate, registry, image| async move {
            let call = about(&image, "manifest");
            let work = async {
                let (found, bytes) = registry.manifest(&Image::parse(&image)?).await?;
                let text = String::from_utf8(bytes).map_err(|_| {
                    Failure::new(
                        Class::Failed,
                        codes::http::UNEXPECTED,
                        Owner::Cloud,
                        format!("{image} is not a valid image: its manifest is not UTF-8 text"),
                    )
                })?;
                Ok(wit::ManifestText {
                    descriptor: descriptor(found),
                    text,
                })
            };
            gate.call(functions::MANIFEST, &call).run(work).await
        })
        .await
    }

    async fn config(
        &mut self,
        queries: Vec<wit::ConfigQuery>,
    ) -> wasmtime::Result<Vec<Result<String, WitFailure>>> {
        let registry = self.registry();
        self.each(registry, queries, |gate, registry, query| async move {
            let call = about(&query.image, "config");
            let work = async {
                let image = Image::parse(&query.image)?;
                index::config(&registry, &image, query.platform.as_deref()).await
            };
            gate.call(functions::CONFIG, &call).run(work).await
        })
        .await
    }

    async fn put_index(
        &mut self,
        image: String,
        entries: Vec<wit::IndexEntry>,
    ) -> Result<wit::Descriptor, CallError> {
        let (gate, registry) = (Arc::clone(&self.gate), self.registry()?);
        let call = about(&image, "putIndex");
        let parsed = Image::parse(&image);
        let (repository, name) = match &parsed {
            Ok(image) => (image.repository.to_string(), image.reference.clone()),
            Err(_) => Default::default(),
        };
        let intent = NewIntent {
            kind: "index".to_owned(),
            location: Location::Repository { repository },
            name,
            on_exit: OnExit::Keep,
            expiry: None,
        };
        let entries: Vec<(String, String)> = entries
            .into_iter()
            .map(|entry| (entry.digest, entry.platform))
            .collect();
        // Nothing is journaled for an index that cannot be stored.
        let wrong = parsed.as_ref().err().cloned();
        let work = async {
            let image = parsed.map_err(NotCreated::certainly)?;
            let stored = index::put(&registry, &image, &entries).await?;
            let digest = stored.digest.clone();
            Ok((stored, digest))
        };
        let stored = gate
            .call(functions::PUT_INDEX, &call)
            .and_unless(wrong)
            .create(intent, work)
            .await?;
        Ok(descriptor(stored))
    }

    async fn push_permission(
        &mut self,
        repositories: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<(), WitFailure>>> {
        let registry = self.registry();
        self.each(registry, repositories, |gate, registry, name| async move {
            let call = RegistryCall {
                repository: &name,
                action: "testPush",
            };
            let work = async { registry.may_push(&Repository::parse(&name)?).await };
            gate.call(functions::PUSH_PERMISSION, &call).run(work).await
        })
        .await
    }
}

/// Returns the request about an image, which is granted by its repository's name.
fn about<'a>(image: &'a str, action: &'a str) -> RegistryCall<'a> {
    RegistryCall {
        repository: sidestep_contract::Image::split(image).name,
        action,
    }
}

fn descriptor(found: Descriptor) -> wit::Descriptor {
    wit::Descriptor {
        digest: found.digest,
        media_type: found.media_type,
        size: found.size,
    }
}
