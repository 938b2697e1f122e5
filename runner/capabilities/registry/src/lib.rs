//! `registry`: images in registries.

mod answer;
mod call;
mod challenge;
mod client;
mod docker;
mod failure;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod index;
mod keyring;
mod proof;
mod reference;
#[cfg(test)]
mod tests;

pub use client::{Descriptor, Registry};
pub use docker::Docker;
pub use keyring::Keyring;
pub use reference::{Image, Repository};

use std::sync::Arc;

use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_bindings::sidestep::registry::images as wit;
use sidestep_events::{Class, Failure, Location, OnExit, Owner, codes};
use sidestep_gate::functions::registry as functions;
use sidestep_gate::{CallError, Capability, NewIntent, NotCreated, Secret, StepState};
use sidestep_policy::Capability as Key;
use sidestep_policy::registry::RegistryCall;
use wasmtime::component::{Linker, Resource};

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

    /// Returns the credentials for one call, or why those that the step gave can't be used.
    fn keyring(
        &self,
        logins: &[Resource<Secret>],
    ) -> wasmtime::Result<Arc<Result<Keyring, Failure>>> {
        let documents: Vec<&str> = logins
            .iter()
            .map(|login| self.table.get(login).map(Secret::expose))
            .collect::<Result<_, _>>()?;
        Ok(Arc::new(Keyring::new(&documents, &self.step.masks)))
    }
}

impl wit::Host for Calls<'_> {
    async fn resolve(
        &mut self,
        images: Vec<String>,
        logins: Vec<Resource<Secret>>,
    ) -> wasmtime::Result<Vec<Result<wit::Descriptor, WitFailure>>> {
        let registry = self.registry();
        let keyring = self.keyring(&logins)?;
        self.each(registry, images, |gate, registry, image| {
            let keyring = Arc::clone(&keyring);
            async move {
                let call = about(&image, "resolve");
                let work = async {
                    registry
                        .resolve(own(&keyring)?, &Image::parse(&image)?)
                        .await
                };
                gate.call(functions::RESOLVE, &call)
                    .run(work)
                    .await
                    .map(descriptor)
            }
        })
        .await
    }

    async fn manifest(
        &mut self,
        images: Vec<String>,
        logins: Vec<Resource<Secret>>,
    ) -> wasmtime::Result<Vec<Result<wit::ManifestText, WitFailure>>> {
        let registry = self.registry();
        let keyring = self.keyring(&logins)?;
        self.each(registry, images, |gate, registry, image| {
            let keyring = Arc::clone(&keyring);
            async move {
                let call = about(&image, "manifest");
                let work = async {
                    let (found, bytes) = registry
                        .manifest(own(&keyring)?, &Image::parse(&image)?)
                        .await?;
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
            }
        })
        .await
    }

    async fn config(
        &mut self,
        queries: Vec<wit::ConfigQuery>,
        logins: Vec<Resource<Secret>>,
    ) -> wasmtime::Result<Vec<Result<String, WitFailure>>> {
        let registry = self.registry();
        let keyring = self.keyring(&logins)?;
        self.each(registry, queries, |gate, registry, query| {
            let keyring = Arc::clone(&keyring);
            async move {
                let call = about(&query.image, "config");
                let work = async {
                    let image = Image::parse(&query.image)?;
                    index::config(&registry, own(&keyring)?, &image, query.platform.as_deref())
                        .await
                };
                gate.call(functions::CONFIG, &call).run(work).await
            }
        })
        .await
    }

    async fn put_index(
        &mut self,
        image: String,
        entries: Vec<wit::IndexEntry>,
        logins: Vec<Resource<Secret>>,
    ) -> Result<wit::Descriptor, CallError> {
        let (gate, registry) = (Arc::clone(&self.gate), self.registry()?);
        let keyring = self.keyring(&logins)?;
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
        let wrong = parsed
            .as_ref()
            .err()
            .or(keyring.as_ref().as_ref().err())
            .cloned();
        let work = async {
            let image = parsed.map_err(NotCreated::certainly)?;
            let keyring = own(&keyring).map_err(NotCreated::certainly)?;
            let stored = index::put(&registry, keyring, &image, &entries).await?;
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
        logins: Vec<Resource<Secret>>,
    ) -> wasmtime::Result<Vec<Result<(), WitFailure>>> {
        let registry = self.registry();
        let keyring = self.keyring(&logins)?;
        self.each(registry, repositories, |gate, registry, name| {
            let keyring = Arc::clone(&keyring);
            async move {
                let call = RegistryCall {
                    repository: &name,
                    action: "testPush",
                };
                let work = async {
                    registry
                        .may_push(own(&keyring)?, &Repository::parse(&name)?)
                        .await
                };
                gate.call(functions::PUSH_PERMISSION, &call).run(work).await
            }
        })
        .await
    }
}

fn own(keyring: &Result<Keyring, Failure>) -> Result<&Keyring, Failure> {
    keyring.as_ref().map_err(Clone::clone)
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
