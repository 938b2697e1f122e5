//! Indexes: selects an image of one, and creates one (OCI image specification, Image Index).

use serde::{Deserialize, Serialize};
use sidestep_contract::image::is_digest;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::NotCreated;

use super::client::{Descriptor, Registry};
use super::keyring::Keyring;
use super::reference::Image;

/// The media type of an index.
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The maximum number of images in a new index.
const MOST_ENTRIES: usize = 1000;

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    media_type: Option<String>,
    manifests: Vec<Entry>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<Platform>,
}

#[derive(Deserialize, Serialize, PartialEq, Eq)]
struct Platform {
    os: String,
    architecture: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
}

/// The part of an image's manifest that names its configuration.
#[derive(Deserialize)]
struct Manifest {
    config: Option<Config>,
}

#[derive(Deserialize)]
struct Config {
    digest: String,
}

impl Platform {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_owned);
        let platform = Self {
            os: parts.next()?,
            architecture: parts.next()?,
            variant: parts.next(),
        };
        let word = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        let good = word(&platform.os)
            && word(&platform.architecture)
            && platform.variant.as_deref().is_none_or(word);
        (good && parts.next().is_none()).then_some(platform)
    }

    fn text(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{}/{}/{variant}", self.os, self.architecture),
            None => format!("{}/{}", self.os, self.architecture),
        }
    }

    /// Returns whether an image for this platform is the requested one; without a requested
    /// variant, any variant matches.
    fn serves(&self, wanted: &Self) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none() || self.variant == wanted.variant)
    }
}

/// Returns an image's configuration, as JSON text; for an index, that of one platform's image.
///
/// # Errors
/// The failure that the registry answered with; `registry.platform` unless exactly one image
/// matches.
pub(super) async fn config(
    registry: &Registry,
    keyring: &Keyring,
    image: &Image,
    platform: Option<&str>,
) -> Result<String, Failure> {
    let (descriptor, mut bytes) = registry.manifest(keyring, image).await?;
    let is_index = descriptor.media_type.contains(".index.")
        || descriptor.media_type.contains(".manifest.list.");
    if is_index {
        let index: Index = read(image, &bytes)?;
        let digest = choose(image, &index, platform)?;
        let one = Image {
            repository: image.repository.clone(),
            reference: digest,
        };
        bytes = registry.manifest(keyring, &one).await?.1;
    }
    let manifest: Manifest = read(image, &bytes)?;
    let digest = manifest
        .config
        .map(|config| config.digest)
        .filter(|digest| is_digest(digest))
        .ok_or_else(|| unexpected(image, "its manifest names no configuration"))?;
    let bytes = registry.blob(keyring, &image.repository, &digest).await?;
    String::from_utf8(bytes).map_err(|_| unexpected(image, "its configuration is not UTF-8 text"))
}

fn choose(image: &Image, index: &Index, platform: Option<&str>) -> Result<String, Failure> {
    let there: Vec<String> = index
        .manifests
        .iter()
        .filter_map(|entry| entry.platform.as_ref().map(Platform::text))
        .filter(|text| text != "unknown/unknown")
        .collect();
    let help = format!("choose one of its platforms: {}", there.join(", "));
    let wrong = |message: String| {
        Failure::new(
            Class::InvalidInput,
            codes::registry::PLATFORM,
            Owner::Author,
            message,
        )
        .with_help(help.clone())
    };
    let wanted = platform.ok_or_else(|| wrong(format!("{image} is an index of several images")))?;
    let wanted = Platform::parse(wanted).ok_or_else(|| {
        wrong(format!(
            "`{}` is not a valid platform",
            wanted.escape_debug()
        ))
    })?;
    index
        .manifests
        .iter()
        .find(|entry| {
            let platform = entry.platform.as_ref();
            platform.is_some_and(|platform| platform.serves(&wanted)) && is_digest(&entry.digest)
        })
        .map(|entry| entry.digest.clone())
        .ok_or_else(|| wrong(format!("{image} has no image for {}", wanted.text())))
}

/// Creates an index of images in the same repository, and stores it.
///
/// # Errors
/// The failure that the registry answered with; `registry.platform` for an invalid platform.
pub(super) async fn put(
    registry: &Registry,
    keyring: &Keyring,
    image: &Image,
    entries: &[(String, String)],
) -> Result<Descriptor, NotCreated> {
    let made = make(registry, keyring, image, entries).await;
    let bytes = made.map_err(NotCreated::certainly)?;
    registry.put_manifest(keyring, image, INDEX, bytes).await
}

/// Creates an index of images in the same repository.
async fn make(
    registry: &Registry,
    keyring: &Keyring,
    image: &Image,
    entries: &[(String, String)],
) -> Result<Vec<u8>, Failure> {
    let wrong = |message: String| {
        Failure::new(
            Class::InvalidInput,
            codes::registry::INDEX,
            Owner::Plugin,
            message,
        )
    };
    if entries.len() > MOST_ENTRIES {
        return Err(wrong(format!("an index has at most {MOST_ENTRIES} images")));
    }
    let mut manifests = Vec::with_capacity(entries.len());
    for (digest, platform) in entries {
        if !is_digest(digest) {
            return Err(wrong(format!(
                "`{}` is not a valid digest",
                digest.escape_debug()
            )));
        }
        let platform = Platform::parse(platform).ok_or_else(|| {
            wrong(format!(
                "`{}` is not a valid platform",
                platform.escape_debug()
            ))
        })?;
        let one = Image {
            repository: image.repository.clone(),
            reference: digest.clone(),
        };
        let found = registry.resolve(keyring, &one).await?;
        manifests.push(Entry {
            media_type: found.media_type,
            digest: found.digest,
            size: found.size,
            platform: Some(platform),
        });
    }
    let index = Index {
        schema_version: 2,
        media_type: Some(INDEX.to_owned()),
        manifests,
    };
    serde_json::to_vec(&index)
        .map_err(|error| Failure::bug(format!("an index can't be written: {error}")))
}

fn read<T: for<'a> Deserialize<'a>>(image: &Image, bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes)
        .map_err(|error| unexpected(image, &format!("its manifest can't be read: {error}")))
}

/// Reads bytes as an index and as a manifest, and selects an image of the index.
#[cfg(any(test, fuzzing))]
pub(super) fn read_any(bytes: &[u8]) {
    let image = Image::parse("r.example/a:b").expect("an image");
    if let Ok(index) = read::<Index>(&image, bytes) {
        for platform in [None, Some("linux/arm64/v8"), Some("x")] {
            if let Ok(digest) = choose(&image, &index, platform) {
                assert!(is_digest(&digest), "{digest:?} becomes a part of a path");
            }
        }
    }
    let _ = read::<Manifest>(&image, bytes);
}

fn unexpected(image: &Image, why: &str) -> Failure {
    Failure::new(
        Class::Failed,
        codes::http::UNEXPECTED,
        Owner::Cloud,
        format!("{image} is not a valid image: {why}"),
    )
}
