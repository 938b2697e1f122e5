use crate::{
    files::Files,
    layer::{self, Layer},
    name::Reference,
    registry::{Registry, RegistryError},
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::path::Path;

const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
/// The environment of an image that is built from scratch.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The timestamp that kaniko writes in reproducible builds.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// An image during its build.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) files: Files,
    pub(crate) layers: Vec<Layer>,
    /// The image configuration (OCI image specification, `config.md`), without layers.
    pub(crate) config: Map<String, Value>,
    oci: bool,
}

/// The documents of a finished image, as pushed to a registry.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) layers: Vec<Layer>,
    pub(crate) config: Vec<u8>,
    pub(crate) config_digest: String,
    pub(crate) manifest: Vec<u8>,
    pub(crate) manifest_type: &'static str,
    pub(crate) digest: String,
}

impl Image {
    /// Creates an empty image for a platform such as `linux/amd64`.
    pub(crate) fn scratch(platform: &str) -> Self {
        let (os, architecture) = platform.split_once('/').unwrap_or(("linux", platform));
        let Value::Object(config) = json!({
            "architecture": architecture.split('/').next(),
            "os": os,
            "config": { "Env": [PATH] },
            "history": [],
        }) else {
            return Self {
                files: Files::default(),
                layers: Vec::new(),
                config: Map::new(),
                oci: false,
            };
        };
        Self {
            files: Files::default(),
            layers: Vec::new(),
            config,
            oci: false,
        }
    }

    /// Fetches an image with its layers.
    pub(crate) async fn fetch(
        registry: &Registry<'_>,
        name: &Reference,
        platform: &str,
        store: &Path,
    ) -> Result<Self, Fetch> {
        let mut manifest = registry
            .manifest(name, &name.version)
            .await
            .map_err(Fetch::Registry)?;
        if let Some(digest) = of_platform(&manifest, platform) {
            manifest = registry
                .manifest(name, &digest)
                .await
                .map_err(Fetch::Registry)?;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let config = registry
            .config(name, &text(&manifest["config"]["digest"]))
            .await;
        let Value::Object(mut config) = config.map_err(Fetch::Registry)? else {
            return Err(Fetch::Other(
                "the image's configuration is not an object".into(),
            ));
        };
        let diff_ids = config.remove("rootfs").unwrap_or_default();
        let mut image = Self {
            files: Files::default(),
            layers: Vec::new(),
            config,
            oci: text(&manifest["mediaType"]) == OCI,
        };
        for (index, layer) in manifest["layers"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let digest = text(&layer["digest"]);
            let file = store.join(digest.replace([':', '/'], "-"));
            registry
                .blob(name, &digest, &file)
                .await
                .map_err(Fetch::Registry)?;
            let broken =
                |error| Fetch::Other(format!("failed to get filesystem from image: {error}"));
            image.files.apply(&file, store).map_err(broken)?;
            let size = std::fs::metadata(&file).map_err(broken)?.len();
            let diff_id = text(&diff_ids["diff_ids"][index]);
            let media_type = text(&layer["mediaType"]);
            image.layers.push(Layer {
                file,
                digest,
                diff_id,
                size,
                media_type,
            });
        }
        Ok(image)
    }

    pub(crate) fn layer_type(&self) -> &'static str {
        if self.oci {
            "application/vnd.oci.image.layer.v1.tar+gzip"
        } else {
            "application/vnd.docker.image.rootfs.diff.tar.gzip"
        }
    }

    /// Returns the part of the configuration that instructions change.
    pub(crate) fn settings(&mut self) -> &mut Map<String, Value> {
        let settings = self.config.entry("config").or_insert_with(|| json!({}));
        if !settings.is_object() {
            *settings = json!({});
        }
        settings.as_object_mut().expect("made an object above")
    }

    /// Adds an instruction to the history.
    pub(crate) fn record(&mut self, created_by: &str, has_layer: bool) {
        let mut entry = json!({ "author": "kaniko", "created_by": created_by });
        if !has_layer {
            entry["empty_layer"] = true.into();
        }
        let history = self.config.entry("history").or_insert_with(|| json!([]));
        if let Some(history) = history.as_array_mut() {
            history.push(entry);
        }
    }

    /// Returns the documents and their digest.
    pub(crate) fn finish(mut self, reproducible: bool) -> Finished {
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let created = if reproducible {
            NO_TIME.to_owned()
        } else {
            now
        };
        self.config.insert("created".into(), created.clone().into());
        self.config.insert("author".into(), "kaniko".into());
        for entry in self
            .config
            .get_mut("history")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if reproducible || entry.get("created").is_none() {
                entry["created"] = created.clone().into();
            }
        }
        let diff_ids: Vec<&str> = self.layers.iter().map(|layer| &layer.diff_id[..]).collect();
        self.config.insert(
            "rootfs".into(),
            json!({ "type": "layers", "diff_ids": diff_ids }),
        );
        let config = Value::Object(self.config).to_string().into_bytes();
        let config_digest = layer::digest(&config);
        let (manifest_type, config_type) = if self.oci {
            (OCI, "application/vnd.oci.image.config.v1+json")
        } else {
            (DOCKER, "application/vnd.docker.container.image.v1+json")
        };
        let layers: Vec<Value> = self
            .layers
            .iter()
            .map(|layer| json!({ "mediaType": layer.media_type, "size": layer.size, "digest": layer.digest }))
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": { "mediaType": config_type, "size": config.len(), "digest": config_digest },
            "layers": layers,
        });
        let manifest = manifest.to_string().into_bytes();
        let digest = layer::digest(&manifest);
        Finished {
            layers: self.layers,
            config,
            config_digest,
            manifest,
            manifest_type,
            digest,
        }
    }
}

/// The reason why a base image is missing.
pub(crate) enum Fetch {
    Registry(RegistryError),
    Other(String),
}

/// Returns the digest of a platform's manifest in an index.
fn of_platform(manifest: &Value, platform: &str) -> Option<String> {
    let manifests = manifest["manifests"].as_array()?;
    let mut wanted = platform.split('/');
    let (os, architecture) = (wanted.next()?, wanted.next()?);
    let fits = |entry: &&Value| {
        entry["platform"]["os"] == os && entry["platform"]["architecture"] == architecture
    };
    let entry = manifests.iter().find(fits).or_else(|| manifests.first())?;
    entry["digest"].as_str().map(str::to_owned)
}
