//! Blobs: pull, push in one or more chunks, mount, delete.

use crate::{App, auth::Action, digest::Digest, error::ApiError, name::Image};
use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Method, StatusCode, request::Parts};
use sidestep_sandbox_base::{Origin, OutOfRange, Query, Span};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// Handles `GET`, `HEAD` and `DELETE /v2/NAME/blobs/DIGEST`.
pub(crate) async fn blob(
    app: &App,
    parts: &Parts,
    origin: &Origin,
    image: &Image,
    digest: &str,
) -> Result<Response, ApiError> {
    match parts.method {
        Method::GET | Method::HEAD => {
            app.permit(parts, origin, image, Action::Pull)?;
            get(app, &parts.headers, image, &Digest::parse(digest)?).await
        }
        Method::DELETE => {
            app.permit(parts, origin, image, Action::Delete)?;
            if app.disk.unlink_blob(image, &Digest::parse(digest)?)? {
                return Ok(StatusCode::ACCEPTED.into_response());
            }
            Err(ApiError::blob_unknown(digest))
        }
        _ => Err(ApiError::unsupported()),
    }
}

async fn get(
    app: &App,
    headers: &HeaderMap,
    image: &Image,
    digest: &Digest,
) -> Result<Response, ApiError> {
    let (size, file) = app
        .disk
        .blob(image, digest)?
        .ok_or_else(|| ApiError::blob_unknown(&digest.to_string()))?;
    let range = headers.get("range").and_then(|value| value.to_str().ok());
    let part = range.and_then(|value| Span::parse(value, size)).transpose();
    let part = part.map_err(|OutOfRange| {
        let message = format!("The blob has {size} bytes, none of which are in the range.");
        ApiError::range(message)
    })?;
    let (first, length) = part.map_or((0, size), |part| (part.first, part.length));
    let mut file = tokio::fs::File::from_std(file);
    let start = std::io::SeekFrom::Start(first);
    file.seek(start).await.map_err(ApiError::disk)?;
    let stream = ReaderStream::with_capacity(file.take(length), 256 * 1024);
    let headers = [
        ("content-type", "application/octet-stream".to_owned()),
        ("content-length", length.to_string()),
        ("accept-ranges", "bytes".to_owned()),
        ("docker-content-digest", digest.to_string()),
        ("etag", format!("\"{digest}\"")),
    ];
    let mut response = (headers, Body::from_stream(stream)).into_response();
    if let Some(part) = part {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = part.content_range(size);
        let range = range.parse().expect("digits make a header value");
        response.headers_mut().insert("content-range", range);
    }
    Ok(response)
}

/// Handles `POST /v2/NAME/blobs/uploads/`: starts an upload, uploads in one request, or mounts.
pub(crate) async fn start(
    app: &App,
    parts: &Parts,
    origin: &Origin,
    image: &Image,
    body: Body,
) -> Result<Response, ApiError> {
    if parts.method != Method::POST {
        return Err(ApiError::unsupported());
    }
    app.permit(parts, origin, image, Action::Push)?;
    let query = Query::parse(parts.uri.query());
    if let Some(digest) = query.get("mount") {
        let digest = Digest::parse(digest)?;
        if mount(app, parts, origin, image, query.get("from"), &digest)? {
            return Ok(created(image, &digest));
        }
    }
    let name = full(image);
    let id = app.uploads.start(&name)?;
    if let Some(digest) = query.get("digest") {
        let finished = finish(app, image, &id, digest, body).await;
        if finished.is_err()
            && let Ok(upload) = app.uploads.take(&name, &id).await
        {
            app.uploads.end(&upload);
        }
        return finished;
    }
    Ok(progress(StatusCode::ACCEPTED, image, &id, 0))
}

/// Mounts a blob from another repository that the caller may read.
fn mount(
    app: &App,
    parts: &Parts,
    origin: &Origin,
    image: &Image,
    from: Option<&str>,
    digest: &Digest,
) -> Result<bool, ApiError> {
    let Some(Ok(source)) = from.map(|from| Image::parse(origin.host(), from)) else {
        return Ok(false);
    };
    // A blob that the caller may not read cannot be mounted: the client then uploads the bytes.
    if app.permit(parts, origin, &source, Action::Pull).is_err()
        || app.disk.blob(&source, digest)?.is_none()
    {
        return Ok(false);
    }
    app.disk.link_blob(image, digest)?;
    Ok(true)
}

/// Handles `GET`, `PATCH`, `PUT` and `DELETE /v2/NAME/blobs/uploads/ID`.
pub(crate) async fn upload(
    app: &App,
    parts: &Parts,
    origin: &Origin,
    image: &Image,
    id: &str,
    body: Body,
) -> Result<Response, ApiError> {
    app.permit(parts, origin, image, Action::Push)?;
    let name = full(image);
    match parts.method {
        Method::GET => {
            let upload = app.uploads.take(&name, id).await?;
            Ok(progress(StatusCode::NO_CONTENT, image, id, upload.size()))
        }
        Method::PATCH => {
            let mut upload = app.uploads.take(&name, id).await?;
            follows(&parts.headers, upload.size())?;
            upload.append(body).await?;
            Ok(progress(StatusCode::ACCEPTED, image, id, upload.size()))
        }
        Method::PUT => {
            let query = Query::parse(parts.uri.query());
            let digest = query.get("digest").ok_or_else(|| {
                ApiError::digest_invalid("An upload must end with PUT and ?digest=sha256:….")
            })?;
            let upload = app.uploads.take(&name, id).await?;
            follows(&parts.headers, upload.size())?;
            drop(upload);
            finish(app, image, id, digest, body).await
        }
        Method::DELETE => {
            let upload = app.uploads.take(&name, id).await?;
            app.uploads.end(&upload);
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => Err(ApiError::unsupported()),
    }
}

/// Checks that a chunk starts at the end of the previous one.
fn follows(headers: &HeaderMap, size: u64) -> Result<(), ApiError> {
    let Some(value) = headers.get("content-range") else {
        return Ok(());
    };
    let value = value.to_str().unwrap_or_default();
    // The distribution specification has FIRST-LAST; some clients send RFC 9110's form.
    let span = value.strip_prefix("bytes ").unwrap_or(value);
    let first = span
        .split_once('-')
        .and_then(|(first, _)| first.parse::<u64>().ok());
    if first == Some(size) {
        return Ok(());
    }
    Err(ApiError::range(format!(
        "The upload has {size} bytes; the chunk \"{value}\" does not continue it."
    )))
}

async fn finish(
    app: &App,
    image: &Image,
    id: &str,
    digest: &str,
    body: Body,
) -> Result<Response, ApiError> {
    let digest = Digest::parse(digest)?;
    let mut upload = app.uploads.take(&full(image), id).await?;
    upload.append(body).await?;
    let is = upload.digest();
    if is != digest {
        app.uploads.end(&upload);
        return Err(ApiError::digest_invalid(format!(
            "The provided digest {digest} did not match the uploaded content, which is {is}."
        )));
    }
    app.disk.adopt(image, &digest, upload.path())?;
    app.uploads.end(&upload);
    Ok(created(image, &digest))
}

fn full(image: &Image) -> String {
    format!("{}/{}", image.full_name(), image.path)
}

fn created(image: &Image, digest: &Digest) -> Response {
    let headers = [
        ("location", format!("/v2/{}/blobs/{digest}", image.written)),
        ("docker-content-digest", digest.to_string()),
    ];
    (StatusCode::CREATED, headers).into_response()
}

fn progress(status: StatusCode, image: &Image, id: &str, size: u64) -> Response {
    let headers = [
        (
            "location",
            format!("/v2/{}/blobs/uploads/{id}", image.written),
        ),
        ("range", format!("0-{}", size.saturating_sub(1))),
        ("docker-upload-uuid", id.to_owned()),
    ];
    (status, headers).into_response()
}
