//! The archive: an OCI image layout
//! (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>) with the `manifest.json`
//! of `docker save` (<https://github.com/moby/docker-image-spec>).

use std::io::{Read, Write};

use serde_json::{Value, json};
use tar::{Builder, Header};

use crate::digest::Blob;
use crate::error::ImageError;
use crate::object::Machine;
use crate::root::{HOME, PROGRAM};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The images: their repositories, and the arguments after the program in their entry points.
const IMAGES: [(&str, &[&str]); 2] = [
    ("localhost/sidestep", &[]),
    ("localhost/sidestep-kaniko", &["sandbox", "kaniko"]),
];

/// Returns the name of the runner's image of a version.
pub fn runner(version: &str) -> String {
    let [(repository, _), _] = IMAGES;
    format!("{repository}:{version}")
}

/// An image in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The name by which it is loaded, such as `localhost/sidestep:0.1.0`.
    pub name: String,
    /// The digest of its manifest.
    pub digest: String,
}

/// A written archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The images.
    pub images: Vec<Image>,
    /// The size of the layer that they share, in bytes.
    pub layer: u64,
}

/// Writes the archive of a layer, which `content` reads. `version` is the tag of the images.
pub(crate) fn write(
    out: impl Write,
    machine: Machine,
    version: &str,
    layer: &Blob,
    content: impl Read,
) -> Result<Written, ImageError> {
    let mut archive = Archive(Builder::new(out));
    archive.text("oci-layout", &json!({ "imageLayoutVersion": "1.0.0" }))?;
    archive.put(&blob(layer), layer.size, content)?;
    let (mut index, mut docker, mut images) = (Vec::new(), Vec::new(), Vec::new());
    for (repository, arguments) in IMAGES {
        let name = format!("{repository}:{version}");
        let config = archive.blob(&config(machine, version, layer, arguments))?;
        let manifest = archive.blob(&json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config),
            "layers": [descriptor(LAYER, layer)],
        }))?;
        let mut listed = descriptor(MANIFEST, &manifest);
        listed["platform"] = json!({ "architecture": machine.name(), "os": "linux" });
        listed["annotations"] = json!({
            "io.containerd.image.name": name,
            "org.opencontainers.image.ref.name": version,
        });
        index.push(listed);
        docker.push(json!({
            "Config": blob(&config),
            "RepoTags": [name],
            "Layers": [blob(layer)],
        }));
        images.push(Image {
            name,
            digest: manifest.digest(),
        });
    }
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": index });
    archive.text("index.json", &index)?;
    archive.text("manifest.json", &Value::Array(docker))?;
    let mut out = archive.0.into_inner().map_err(ImageError::Unwritable)?;
    out.flush().map_err(ImageError::Unwritable)?;
    Ok(Written {
        images,
        layer: layer.size,
    })
}

/// Returns the configuration of an image. kaniko needs `USER` and `HOME`.
fn config(machine: Machine, version: &str, layer: &Blob, arguments: &[&str]) -> Value {
    let mut entry_point = vec![PROGRAM];
    entry_point.extend(arguments);
    json!({
        "architecture": machine.name(),
        "os": "linux",
        "config": {
            "Entrypoint": entry_point,
            "Env": [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                format!("HOME={HOME}"),
                "USER=root",
            ],
            "WorkingDir": "/workspace",
            "Labels": {
                "org.opencontainers.image.title": "sidestep",
                "org.opencontainers.image.version": version,
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [layer.digest()] },
        "history": [{ "created_by": "sidestep sandbox image" }],
    })
}

fn descriptor(kind: &str, blob: &Blob) -> Value {
    json!({ "mediaType": kind, "digest": blob.digest(), "size": blob.size })
}

/// Returns the path of a blob.
fn blob(blob: &Blob) -> String {
    format!("blobs/sha256/{}", blob.sha256)
}

struct Archive<Out: Write>(Builder<Out>);

impl<Out: Write> Archive<Out> {
    /// Appends a JSON value as a blob.
    fn blob(&mut self, value: &Value) -> Result<Blob, ImageError> {
        let known = Blob::of(value.to_string().as_bytes());
        self.text(&blob(&known), value)?;
        Ok(known)
    }

    fn text(&mut self, path: &str, value: &Value) -> Result<(), ImageError> {
        let text = value.to_string();
        self.put(path, text.len() as u64, text.as_bytes())
    }

    fn put(&mut self, path: &str, size: u64, content: impl Read) -> Result<(), ImageError> {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(size);
        self.0
            .append_data(&mut header, path, content)
            .map_err(ImageError::Unwritable)
    }
}
