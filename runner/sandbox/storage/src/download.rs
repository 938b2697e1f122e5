//! Downloads of objects, for both APIs.

use crate::{failure::Failure, object::Object, upload::text};
use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// The number of bytes per read.
const CHUNK: usize = 256 * 1024;

/// A range of an object: its first byte and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    first: u64,
    length: u64,
}

/// Responds with the whole object, or with the one range that `Range` asks for.
pub(crate) async fn serve(
    object: &Object,
    file: File,
    headers: &HeaderMap,
    etag: &str,
) -> Result<Response, Failure> {
    let span = match text(headers, "range").and_then(|value| wanted(value, object.size)) {
        Some(Ok(span)) => Some(span),
        Some(Err(())) => return Err(Failure::range(object.size)),
        None => None,
    };
    let mut file = tokio::fs::File::from_std(file);
    let length = span.map_or(object.size, |span| span.length);
    if let Some(span) = span {
        let first = std::io::SeekFrom::Start(span.first);
        file.seek(first).await.map_err(Failure::disk)?;
    }
    let stream = ReaderStream::with_capacity(file.take(length), CHUNK);
    let mut response = Response::new(Body::from_stream(stream));
    describe(object, etag, response.headers_mut());
    set(
        response.headers_mut(),
        "content-length",
        &length.to_string(),
    );
    if let Some(Span { first, length }) = span {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {first}-{}/{}", first + length - 1, object.size);
        set(response.headers_mut(), "content-range", &range);
    }
    Ok(response)
}

/// Parses a range (RFC 9110, section 14.1.2). `None` means that the header is ignored, `Err` that
/// the range is outside of the object.
fn wanted(value: &str, size: u64) -> Option<Result<Span, ()>> {
    let (first, last) = value.trim().strip_prefix("bytes=")?.split_once('-')?;
    let span = if first.is_empty() {
        let length = last.parse::<u64>().ok()?.min(size);
        Span {
            first: size - length,
            length,
        }
    } else {
        let first = first.parse::<u64>().ok()?;
        let last = match last {
            "" => u64::MAX,
            last => last.parse::<u64>().ok()?,
        };
        if last < first {
            return None;
        }
        Span {
            first,
            length: last
                .min(size.saturating_sub(1))
                .saturating_add(1)
                .saturating_sub(first),
        }
    };
    Some(if span.first >= size || span.length == 0 {
        Err(())
    } else {
        Ok(span)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let span = |first, length| Some(Ok(Span { first, length }));
        assert_eq!(wanted("bytes=0-0", 10), span(0, 1));
        assert_eq!(wanted("bytes=2-", 10), span(2, 8));
        assert_eq!(wanted("bytes=2-99", 10), span(2, 8));
        assert_eq!(wanted("bytes=-3", 10), span(7, 3));
        assert_eq!(wanted("bytes=-30", 10), span(0, 10));
        assert_eq!(wanted("bytes=0-18446744073709551615", 10), span(0, 10));
        assert_eq!(wanted("bytes=10-", 10), Some(Err(())));
        assert_eq!(wanted("bytes=-0", 10), Some(Err(())));
        assert_eq!(wanted("bytes=0-", 0), Some(Err(())));
        for ignored in [
            "",
            "bytes=",
            "bytes=5-2",
            "bytes=0-1,3-4",
            "lines=1-2",
            "bytes=a-b",
        ] {
            assert_eq!(wanted(ignored, 10), None, "{ignored}");
        }
    }
}
