//! Container registries. Grant key: `registry`.

use crate::bindings::sidestep::registry::images;
use crate::error::{each, only};
use crate::{Error, Result};

pub use images::{ConfigQuery, Descriptor, IndexEntry, ManifestText};

/// Resolves a reference to its descriptor.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::registry;
///
/// # fn main() -> sidestep::Result<()> {
/// let digest = registry::resolve("europe-docker.pkg.dev/demo/images/api:1.4")?.digest;
/// # Ok(())
/// # }
/// ```
pub fn resolve(image: impl Into<String>) -> Result<Descriptor> {
    only(images::resolve(&[image.into()]))
}

/// Resolves references, in their order.
///
/// # Examples
///
/// ```no_run
/// use sidestep::registry;
///
/// # fn main() -> sidestep::Result<()> {
/// let images = ["docker.io/library/alpine:3", "docker.io/library/debian:13"].map(str::to_owned);
/// for image in registry::resolve_all(&images) {
///     sidestep::info!("{}", image?.digest);
/// }
/// # Ok(())
/// # }
/// ```
pub fn resolve_all(images: &[String]) -> Vec<Result<Descriptor>> {
    each(images::resolve(images))
}

/// Returns a manifest or an index.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::registry;
///
/// # fn main() -> sidestep::Result<()> {
/// let manifest = registry::manifest("europe-docker.pkg.dev/demo/images/api:1.4")?;
/// sidestep::info!("{}", manifest.descriptor.media_type);
/// # Ok(())
/// # }
/// ```
pub fn manifest(image: impl Into<String>) -> Result<ManifestText> {
    only(images::manifest(&[image.into()]))
}

/// Returns an image's configuration, as JSON text.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::registry::{self, ConfigQuery};
///
/// # fn main() -> sidestep::Result<()> {
/// let config = registry::config(ConfigQuery {
///     image: "europe-docker.pkg.dev/demo/images/api:1.4".to_owned(),
///     platform: Some("linux/amd64".to_owned()),
/// })?;
/// # Ok(())
/// # }
/// ```
pub fn config(query: ConfigQuery) -> Result<String> {
    only(images::config(&[query]))
}

/// Stores an image index under a reference.
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::registry::{self, IndexEntry};
///
/// # fn main() -> sidestep::Result<()> {
/// let entry = |digest: &str, platform: &str| IndexEntry {
///     digest: digest.to_owned(),
///     platform: platform.to_owned(),
/// };
/// let amd = format!("sha256:{}", "0".repeat(64));
/// let arm = format!("sha256:{}", "1".repeat(64));
/// let entries = [entry(&amd, "linux/amd64"), entry(&arm, "linux/arm64")];
/// registry::put_index("europe-docker.pkg.dev/demo/images/api:1.4", &entries)?;
/// # Ok(())
/// # }
/// ```
pub fn put_index(image: &str, entries: &[IndexEntry]) -> Result<Descriptor> {
    images::put_index(image, entries).map_err(Error::from)
}

/// Checks that the runner may push to a repository (`HOST/REPOSITORY`).
///
/// # Errors
///
/// The host's failure; a call that the step is not granted has class `refused`.
///
/// # Examples
///
/// ```no_run
/// use sidestep::registry;
///
/// # fn main() -> sidestep::Result<()> {
/// registry::push_permission("europe-docker.pkg.dev/demo/images/api")?;
/// # Ok(())
/// # }
/// ```
pub fn push_permission(repository: impl Into<String>) -> Result<()> {
    only(images::push_permission(&[repository.into()]))
}
