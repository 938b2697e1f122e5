//! Manifests: pull by tag or digest, push with every reference checked, delete.

use crate::{App, auth::Action, digest::Digest, disk::Facts, error::ApiError, name::Image};
use axum::{
    body::{Body, to_bytes},
    response::{IntoResponse as _, Response},
};
use http::{Method, StatusCode, request::Parts};
use serde_json::Value;
use sidestep_sandbox_base::Origin;

/// The distribution specification requires registries to accept at least 4 MiB.
const MAX_MANIFEST: usize = 4 * 1024 * 1024;

/// Single images.
const IMAGES: [&str; 2] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// Lists of manifests.
const INDEXES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// A tag or a digest.
enum Reference {
    Tag(String),
    Digest(Digest),
}

impl Reference {
    fn parse(text: &str) -> Result<Self, ApiError> {
        if text.contains(':') {
            return Digest::parse(text).map(Self::Digest);
        }
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let good = text.len() <= 128
            && text.bytes().next().is_some_and(word)
            && text
                .bytes()
                .all(|byte| word(byte) || byte == b'.' || byte == b'-');
        if good {
            return Ok(Self::Tag(text.to_owned()));
        }
        Err(ApiError::tag_invalid(text))
    }
}

/// Handles all methods of `/v2/NAME/manifests/REFERENCE`.
pub(crate) async fn manifest(
    app: &App,
    parts: &Parts,
    origin: &Origin,
    image: &Image,
    reference: &str,
    body: Body,
) -> Result<Response, ApiError> {
    match parts.method {
        Method::GET | Method::HEAD => {
            app.permit(parts, origin, image, Action::Pull)?;
            get(app, parts, image, reference)
        }
        Method::PUT => {
            app.permit(parts, origin, image, Action::Push)?;
            let reference = Reference::parse(reference)?;
            let bytes = to_bytes(body, MAX_MANIFEST).await.map_err(|_| {
                ApiError::too_large("The manifest's body is cut short or over 4 MiB.")
            })?;
            put(app, parts, image, &reference, &bytes)
        }
        Method::DELETE => {
            app.permit(parts, origin, image, Action::Delete)?;
            delete(app, parts, image, reference)
        }
        _ => Err(ApiError::unsupported()),
    }
}

fn get(app: &App, parts: &Parts, image: &Image, reference: &str) -> Result<Response, ApiError> {
    let unknown = || ApiError::manifest_unknown(reference, parts.uri.path());
    let digest = match Reference::parse(reference)? {
        Reference::Digest(digest) => digest,
        Reference::Tag(tag) => app.disk.tag(image, &tag)?.ok_or_else(unknown)?,
    };
    let facts = app.disk.facts(image, &digest)?.ok_or_else(unknown)?;
    let bytes = app.disk.manifest_bytes(&digest)?;
    let headers = [
        ("content-type", facts.media_type),
        ("content-length", bytes.len().to_string()),
        ("docker-content-digest", digest.to_string()),
        ("etag", format!("\"{digest}\"")),
    ];
    Ok((headers, bytes).into_response())
}

fn put(
    app: &App,
    parts: &Parts,
    image: &Image,
    reference: &Reference,
    bytes: &[u8],
) -> Result<Response, ApiError> {
    let digest = Digest::of(bytes);
    if let Reference::Digest(said) = reference
        && *said != digest
    {
        return Err(ApiError::digest_invalid(format!(
            "The manifest was pushed as {said}, but its digest is {digest}."
        )));
    }
    let manifest: Value = serde_json::from_slice(bytes).map_err(|error| {
        ApiError::manifest_invalid(format!("The manifest is not JSON: {error}."))
    })?;
    let facts = facts(parts, &manifest, bytes.len())?;
    if INDEXES.contains(&facts.media_type.as_str()) {
        check_index(app, image, &manifest)?;
    } else {
        check_image(app, image, &manifest)?;
    }
    app.disk.put_manifest(image, &digest, bytes, &facts)?;
    if let Reference::Tag(tag) = reference {
        app.disk.set_tag(image, tag, &digest)?;
    }
    let headers = [
        (
            "location",
            format!("/v2/{}/manifests/{digest}", image.written),
        ),
        ("docker-content-digest", digest.to_string()),
    ];
    let mut response = (StatusCode::CREATED, headers).into_response();
    if let Some(subject) = facts.subject
        && let Ok(value) = subject.parse()
    {
        response.headers_mut().insert("oci-subject", value);
    }
    Ok(response)
}

fn facts(parts: &Parts, manifest: &Value, size: usize) -> Result<Facts, ApiError> {
    let header = parts.headers.get("content-type");
    let header = header.and_then(|value| value.to_str().ok());
    let header = header.map(|value| value.split(';').next().unwrap_or_default().trim());
    let inside = manifest["mediaType"].as_str();
    let media_type = header.or(inside).unwrap_or_default();
    if !IMAGES.contains(&media_type) && !INDEXES.contains(&media_type) {
        return Err(ApiError::manifest_invalid(format!(
            "\"{media_type}\" is not an accepted type of manifest: use an OCI or Docker schema 2 \
             image or index."
        )));
    }
    if let Some(inside) = inside.filter(|inside| *inside != media_type) {
        return Err(ApiError::manifest_invalid(format!(
            "The manifest says that it is {inside}, but its Content-Type is {media_type}."
        )));
    }
    let subject = match &manifest["subject"] {
        Value::Null => None,
        subject => Some(descriptor(subject)?.0.to_string()),
    };
    // The type of an image without its own artifactType is that of its config.
    let kind = manifest["artifactType"]
        .as_str()
        .filter(|kind| !kind.is_empty());
    let kind = kind.or_else(|| manifest["config"]["mediaType"].as_str());
    Ok(Facts {
        media_type: media_type.to_owned(),
        size: size as u64,
        subject,
        artifact_type: kind.map(str::to_owned),
        annotations: manifest.get("annotations").cloned(),
    })
}

fn descriptor(value: &Value) -> Result<(Digest, Option<u64>), ApiError> {
    let digest = value["digest"]
        .as_str()
        .ok_or_else(|| ApiError::manifest_invalid("A descriptor in the manifest has no digest."))?;
    Ok((Digest::parse(digest)?, value["size"].as_u64()))
}

fn check_image(app: &App, image: &Image, manifest: &Value) -> Result<(), ApiError> {
    let layers = manifest["layers"].as_array();
    let (config, Some(layers)) = (&manifest["config"], layers) else {
        return Err(ApiError::manifest_invalid(
            "An image manifest must have config and layers.",
        ));
    };
    for blob in std::iter::once(config).chain(layers) {
        let (digest, size) = descriptor(blob)?;
        // Bytes of a foreign layer are never pushed: they are stored at its urls.
        let foreign = blob["mediaType"]
            .as_str()
            .is_some_and(|kind| kind.contains("foreign") || kind.contains("nondistributable"));
        match app.disk.blob(image, &digest)? {
            Some((is, _)) if size.is_some_and(|size| size != is) => {
                return Err(ApiError::manifest_invalid(format!(
                    "The manifest says that {digest} has {} bytes, but it has {is}.",
                    size.unwrap_or_default()
                )));
            }
            None if !foreign => {
                return Err(ApiError::manifest_blob_unknown(format!(
                    "The manifest references {digest}, which was not pushed to {}.",
                    image.full_name()
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_index(app: &App, image: &Image, manifest: &Value) -> Result<(), ApiError> {
    let children = manifest["manifests"].as_array();
    let children =
        children.ok_or_else(|| ApiError::manifest_invalid("An index must have manifests."))?;
    for child in children {
        let (digest, _) = descriptor(child)?;
        if app.disk.facts(image, &digest)?.is_none() {
            return Err(ApiError::manifest_blob_unknown(format!(
                "The index references the manifest {digest}, which was not pushed to {}.",
                image.written
            )));
        }
    }
    Ok(())
}

fn delete(app: &App, parts: &Parts, image: &Image, reference: &str) -> Result<Response, ApiError> {
    let unknown = || ApiError::manifest_unknown(reference, parts.uri.path());
    match Reference::parse(reference)? {
        Reference::Tag(tag) => {
            if !app.disk.remove_tag(image, &tag)? {
                return Err(unknown());
            }
        }
        Reference::Digest(digest) => {
            app.disk.facts(image, &digest)?.ok_or_else(unknown)?;
            let mut tags = Vec::new();
            for tag in app.disk.tags(image)? {
                if app.disk.tag(image, &tag)?.as_ref() == Some(&digest) {
                    tags.push(tag);
                }
            }
            if !tags.is_empty() {
                return Err(ApiError::dangling_tag(&tags));
            }
            app.disk.remove_manifest(image, &digest)?;
        }
    }
    Ok(StatusCode::ACCEPTED.into_response())
}
