//! Container registries. Grant key: `registry`.

use crate::bindings::sidestep::registry::images;
use crate::error::{each, only};
use crate::{Error, Result};

pub use images::{ConfigQuery, Descriptor, IndexEntry, ManifestText};

/// Resolves a reference to its descriptor.
pub fn resolve(image: impl Into<String>) -> Result<Descriptor> {
    only(images::resolve(&[image.into()]))
}

/// Resolves references, in their order.
pub fn resolve_all(images: &[String]) -> Vec<Result<Descriptor>> {
    each(images::resolve(images))
}

/// Returns a manifest or an index.
pub fn manifest(image: impl Into<String>) -> Result<ManifestText> {
    only(images::manifest(&[image.into()]))
}

/// Returns an image's configuration, as JSON text.
pub fn config(query: ConfigQuery) -> Result<String> {
    only(images::config(&[query]))
}

/// Stores an image index under a reference.
pub fn put_index(image: &str, entries: &[IndexEntry]) -> Result<Descriptor> {
    images::put_index(image, entries).map_err(Error::from)
}

/// Checks that the runner may push to a repository (`HOST/REPOSITORY`).
pub fn push_permission(repository: impl Into<String>) -> Result<()> {
    only(images::push_permission(&[repository.into()]))
}
