//! Container registries. Grant key: `registry`.
//!
//! The functions of this module use the runner's own credentials. [`Logins`] has the same functions
//! with credentials that the step gives.

use crate::bindings::sidestep::registry::images;
use crate::error::{each, only};
use crate::{Encoding, Error, Result, Secret, compose};

pub use images::{ConfigQuery, Descriptor, IndexEntry, ManifestText};
pub use sidestep_contract::registry::{is_googles, login_key};

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
    Logins::default().resolve(image)
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
    each(images::resolve(images, &[]))
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
    Logins::default().manifest(image)
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
    Logins::default().config(query)
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
    Logins::default().put_index(image, entries)
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
    Logins::default().push_permission(repository)
}

/// Credentials that a step gives to its calls. Those of the first secret that has some for a
/// registry are used; the runner's own come last.
#[derive(Debug, Default)]
pub struct Logins(Vec<Secret>);

impl Logins {
    /// Uses these secrets, each in the format of Docker's configuration file.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sidestep::registry::{self, Logins};
    /// use sidestep::secrets;
    ///
    /// # fn main() -> sidestep::Result<()> {
    /// let password = secrets::get("ghcrToken")?;
    /// let logins = Logins::new(vec![registry::login("ghcr.io", "ci", &password)?]);
    /// logins.resolve("ghcr.io/demo/api:1.4")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(secrets: Vec<Secret>) -> Self {
        Self(secrets)
    }

    fn handles(&self) -> Vec<&Secret> {
        self.0.iter().collect()
    }

    /// Resolves a reference to its descriptor.
    ///
    /// # Errors
    ///
    /// As [`resolve`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sidestep::registry::{self, Logins};
    /// use sidestep::secrets;
    ///
    /// # fn main() -> sidestep::Result<()> {
    /// let password = secrets::get("ghcrToken")?;
    /// let logins = Logins::new(vec![registry::login("ghcr.io", "ci", &password)?]);
    /// let digest = logins.resolve("ghcr.io/demo/api:1.4")?.digest;
    /// # Ok(())
    /// # }
    /// ```
    pub fn resolve(&self, image: impl Into<String>) -> Result<Descriptor> {
        only(images::resolve(&[image.into()], &self.handles()))
    }

    /// Returns a manifest or an index.
    ///
    /// # Errors
    ///
    /// As [`manifest`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sidestep::registry::{self, Logins};
    /// use sidestep::secrets;
    ///
    /// # fn main() -> sidestep::Result<()> {
    /// let password = secrets::get("ghcrToken")?;
    /// let logins = Logins::new(vec![registry::login("ghcr.io", "ci", &password)?]);
    /// let manifest = logins.manifest("ghcr.io/demo/api:1.4")?.text;
    /// # Ok(())
    /// # }
    /// ```
    pub fn manifest(&self, image: impl Into<String>) -> Result<ManifestText> {
        only(images::manifest(&[image.into()], &self.handles()))
    }

    /// Returns an image's configuration, as JSON text.
    ///
    /// # Errors
    ///
    /// As [`config`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sidestep::registry::{self, Logins};
    /// use sidestep::secrets;
    ///
    /// # fn main() -> sidestep::Result<()> {
    /// let password = secrets::get("ghcrToken")?;
    /// let logins = Logins::new(vec![registry::login("ghcr.io", "ci", &password)?]);
    /// let query = registry::ConfigQuery { image: "ghcr.io/demo/api:1.4".to_owned(), platform: None };
    /// let config = logins.config(query)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn config(&self, query: ConfigQuery) -> Result<String> {
        only(images::config(&[query], &self.handles()))
    }

    /// Stores an image index under a reference.
    ///
    /// # Errors
    ///
    /// As [`put_index`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sidestep::registry::{self, Logins};
    /// use sidestep::secrets;
    ///
    /// # fn main() -> sidestep::Result<()> {
    /// let password = secrets::get("ghcrToken")?;
    /// let logins = Logins::new(vec![registry::login("ghcr.io", "ci", &password)?]);
    /// let digest = format!("sha256:{}", "0".repeat(64));
    /// let entry = registry::IndexEntry { digest, platform: "linux/amd64".to_owned() };
    /// logins.put_index("ghcr.io/demo/api:1.4", &[entry])?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn put_index(&self, image: &str, entries: &[IndexEntry]) -> Result<Descriptor> {
        images::put_index(image, entries, &self.handles()).map_err(Error::from)
    }

    /// Checks that the credentials allow pushing to a repository (`HOST/REPOSITORY`).
    ///
    /// # Errors
    ///
    /// As [`push_permission`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sidestep::registry::{self, Logins};
    /// use sidestep::secrets;
    ///
    /// # fn main() -> sidestep::Result<()> {
    /// let password = secrets::get("ghcrToken")?;
    /// let logins = Logins::new(vec![registry::login("ghcr.io", "ci", &password)?]);
    /// logins.push_permission("ghcr.io/demo/api")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn push_permission(&self, repository: impl Into<String>) -> Result<()> {
        only(images::push_permission(
            &[repository.into()],
            &self.handles(),
        ))
    }
}

/// Returns a user's name and password at a registry as a secret for [`Logins`]. `registry` is the host
/// in the names of its images.
///
/// # Errors
///
/// If the run's secrets are too large to be masked.
///
/// # Examples
///
/// ```no_run
/// use sidestep::registry::{self, Logins};
/// use sidestep::secrets;
///
/// # fn main() -> sidestep::Result<()> {
/// let password = secrets::get("ghcrToken")?;
/// let logins = Logins::new(vec![registry::login("ghcr.io", "ci", &password)?]);
/// logins.resolve("ghcr.io/demo/api:1.4")?;
/// # Ok(())
/// # }
/// ```
pub fn login(registry: &str, user: &str, password: &Secret) -> Result<Secret> {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let password = compose(&[password.into()], Encoding::JsonString)?;
    let (registry, user) = (text(login_key(registry)), text(user));
    let begin = format!("{{\"auths\":{{{registry}:{{\"username\":{user},\"password\":");
    let parts = [begin.into(), (&password).into(), "}}}".into()];
    compose(&parts, Encoding::Plain)
}
