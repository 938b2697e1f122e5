//! Downloads of objects, for both APIs.

use crate::{error::ApiError, object::Object, upload::text};
use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sidestep_sandbox_base::{OutOfRange, Span};
use std::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// The number of bytes per read.
const CHUNK: usize = 256 * 1024;

/// Responds with the whole object, or with the one range that `Range` asks for.
pub(crate) async fn serve(
    object: &Object,
    file: File,
    headers: &HeaderMap,
    etag: &str,
) -> Result<Response, ApiError> {
    let span = text(headers, "range").and_then(|value| Span::parse(value, object.size));
    let span = span.transpose();
    let span = span.map_err(|OutOfRange| ApiError::range(object.size))?;
    let mut file = tokio::fs::File::from_std(file);
    let length = span.map_or(object.size, |span| span.length);
    if let Some(span) = span {
        let first = std::io::SeekFrom::Start(span.first);
        file.seek(first).await.map_err(ApiError::disk)?;
    }
    let stream = ReaderStream::with_capacity(file.take(length), CHUNK);
    let mut response = Response::new(Body::from_stream(stream));
    describe(object, etag, response.headers_mut());
    set(
        response.headers_mut(),
        "content-length",
        &length.to_string(),
    );
    if let Some(span) = span {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = span.content_range(object.size);
        set(response.headers_mut(), "content-range", &range);
    }
    Ok(response)
}

/// Sets the headers that describe an object.
fn describe(object: &Object, etag: &str, headers: &mut HeaderMap) {
    let content_type = object.field("contentType");
    set(
        headers,
        "content-type",
        content_type.unwrap_or("application/octet-stream"),
    );
    for (header, field) in [
        ("cache-control", "cacheControl"),
        ("content-disposition", "contentDisposition"),
        ("content-encoding", "contentEncoding"),
        ("content-language", "contentLanguage"),
        ("x-goog-custom-time", "customTime"),
    ] {
        if let Some(value) = object.field(field) {
            set(headers, header, value);
        }
    }
    let encoding = object.field("contentEncoding").unwrap_or("identity");
    set(headers, "x-goog-stored-content-encoding", encoding);
    set(
        headers,
        "x-goog-stored-content-length",
        &object.size.to_string(),
    );
    set(headers, "x-goog-generation", &object.generation.to_string());
    set(
        headers,
        "x-goog-metageneration",
        &object.metageneration.to_string(),
    );
    set(headers, "x-goog-storage-class", object.storage_class());
    set(headers, "accept-ranges", "bytes");
    set(headers, "etag", etag);
    set(
        headers,
        "x-goog-hash",
        &format!("crc32c={}", object.crc32c_text()),
    );
    if let Some(md5) = &object.md5
        && let Ok(value) = HeaderValue::from_str(&format!("md5={md5}"))
    {
        headers.append("x-goog-hash", value);
    }
    if let Some(count) = object.component_count {
        set(headers, "x-goog-component-count", &count.to_string());
    }
    if let Ok(updated) = object.updated.parse::<jiff::Timestamp>() {
        let text = updated.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        set(headers, "last-modified", &text);
    }
    for (key, value) in &object.metadata {
        set(headers, &format!("x-goog-meta-{key}"), value);
    }
}

/// Sets a header, unless its value is not valid in one (such as a line break in user metadata).
fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (
        HeaderName::from_bytes(name.as_bytes()),
        HeaderValue::from_bytes(value.as_bytes()),
    ) {
        headers.insert(name, value);
    }
}
