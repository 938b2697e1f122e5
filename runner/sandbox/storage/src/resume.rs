//! `PUT` and `DELETE` on a resumable session's address.

use crate::{
    App, address,
    error::ApiError,
    object::Object,
    sessions::{QUANTUM, Session},
    upload::{hash_headers, rights},
};
use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode, request::Parts};
use sidestep_sandbox_base::Query;
use std::sync::Arc;

/// A `Content-Range` header of an upload (RFC 9110 section 14.4, and the forms
/// that Cloud Storage adds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    /// `bytes */TOTAL` or `bytes */*`: no bytes, a query of the offset.
    Status { total: Option<u64> },
    /// `bytes FIRST-LAST/TOTAL`, `bytes FIRST-LAST/*`.
    Chunk {
        first: u64,
        last: u64,
        total: Option<u64>,
    },
    /// `bytes FIRST-*/*`, or no header: from there to the body's end, which is the last chunk.
    Rest { first: u64 },
}

fn range(headers: &HeaderMap) -> Result<Range, ApiError> {
    let Some(value) = headers.get("content-range") else {
        return Ok(Range::Rest { first: 0 });
    };
    let value = value.to_str().unwrap_or_default();
    parse(value).ok_or_else(|| {
        ApiError::invalid(format!("Failed to parse Content-Range header: \"{value}\""))
    })
}

fn parse(value: &str) -> Option<Range> {
    let (span, total) = value.strip_prefix("bytes ")?.trim().split_once('/')?;
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    if span == "*" {
        return Some(Range::Status { total });
    }
    let (first, last) = span.split_once('-')?;
    let first: u64 = first.parse().ok()?;
    if last == "*" {
        return Some(match total {
            None => Range::Rest { first },
            Some(total) => Range::Chunk {
                first,
                last: total.checked_sub(1)?,
                total: Some(total),
            },
        });
    }
    let last = last.parse().ok()?;
    let whole = first <= last && total.is_none_or(|total| last < total);
    whole.then_some(Range::Chunk { first, last, total })
}

pub(crate) async fn put(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let query = Query::parse(parts.uri.query());
    let id = query
        .get("upload_id")
        .ok_or_else(|| ApiError::required("Required parameter: upload_id"))?;
    let range = range(&parts.headers)?;
    let mut session = app.sessions.take(id).await?;
    if let Some(object) = session.done() {
        return Ok(finished(&app, &parts, &session.spec().bucket, object));
    }
    match advance(&app, &mut session, range, &parts.headers, body).await {
        Ok(Some(object)) => Ok(finished(&app, &parts, &session.spec().bucket, &object)),
        Ok(None) => incomplete(&mut session),
        Err(Stop::Retry(error)) => Err(error),
        Err(Stop::End(error)) => {
            app.sessions.end(&session);
            Err(error)
        }
    }
}

pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, ApiError> {
    let query = Query::parse(request.uri().query());
    let id = query
        .get("upload_id")
        .ok_or_else(|| ApiError::required("Required parameter: upload_id"))?;
    let session = app.sessions.take(id).await?;
    app.sessions.end(&session);
    // Cloud Storage's status for a cancelled session.
    let status = StatusCode::from_u16(499).expect("499 is within the range of status codes");
    Ok(status.into_response())
}

/// The reason why a request did not advance a session, and whether the session can be resumed.
enum Stop {
    Retry(ApiError),
    End(ApiError),
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Retry(error)
    }
}

async fn advance(
    app: &App,
    session: &mut Session,
    range: Range,
    headers: &HeaderMap,
    body: Body,
) -> Result<Option<Object>, Stop> {
    let persisted = session.persisted()?;
    let (first, end, total) = match range {
        Range::Status { total } => {
            drain(body).await;
            declare(session, total)?;
            return match total.or(session.spec().total.filter(|total| *total == 0)) {
                Some(total) if total == persisted => finish(app, session, headers).map(Some),
                _ => Ok(None),
            };
        }
        Range::Chunk { first, last, total } => {
            declare(session, total)?;
            (first, Some(last + 1), total.or(session.spec().total))
        }
        Range::Rest { first } => (first, None, None),
    };
    if first > persisted {
        return Err(Stop::Retry(ApiError::invalid(format!(
            "Invalid request. According to the Content-Range header, the upload offset is {first} \
             byte(s), which exceeds already uploaded size of {persisted} byte(s)."
        ))));
    }
    let is_last = end.is_none() || end == total;
    let length = end.map(|end| end - first);
    if let Some(length) = length.filter(|length| !is_last && *length < QUANTUM) {
        return Err(Stop::Retry(ApiError::invalid(format!(
            "Invalid request. The number of bytes uploaded is required to be equal or greater than \
             262144, except for the final request (it's recommended to be the exact multiple of \
             262144). The received request contained {length} bytes, which does not meet this \
             requirement."
        ))));
    }
    receive(session, persisted - first, length, body).await?;
    if is_last {
        return finish(app, session, headers).map(Some);
    }
    Ok(None)
}

/// Appends the body without its first `skip` bytes, which are already stored.
async fn receive(
    session: &mut Session,
    mut skip: u64,
    length: Option<u64>,
    body: Body,
) -> Result<(), ApiError> {
    let mut appending = session.append()?;
    let mut body = body.into_data_stream();
    let mut received = 0_u64;
    while let Some(frame) = body.next().await {
        let mut frame: Bytes =
            frame.map_err(|_| ApiError::invalid("The chunk's body was cut short."))?;
        received += frame.len() as u64;
        if let Some(length) = length.filter(|length| received > *length) {
            return Err(ApiError::invalid(format!(
                "The chunk's body is longer than the {length} bytes of its Content-Range."
            )));
        }
        let known = usize::try_from(skip).map_or(frame.len(), |skip| skip.min(frame.len()));
        skip -= known as u64;
        appending.write(&frame.split_off(known))?;
    }
    match length {
        Some(length) if received < length => Err(ApiError::invalid(format!(
            "The chunk's body has {received} bytes, its Content-Range says {length}."
        ))),
        _ => Ok(()),
    }
}

/// Sets the total size. A different size later means that the client mixed up its sessions.
fn declare(session: &mut Session, total: Option<u64>) -> Result<(), ApiError> {
    match (session.spec().total, total) {
        (Some(known), Some(total)) if known != total => Err(ApiError::invalid(format!(
            "Invalid request. The upload's size was declared as {known} bytes, and now as {total}."
        ))),
        (None, Some(total)) => {
            session.spec_mut().total = Some(total);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn finish(app: &App, session: &mut Session, headers: &HeaderMap) -> Result<Object, Stop> {
    let described = &mut session.spec_mut().described;
    described.expect_hashes(hash_headers(headers));
    let spec = session.spec();
    let put = rights(app, &spec.caller, &spec.bucket, spec.conditions).map_err(Stop::End)?;
    session.finish(&app.store, put).map_err(Stop::End)
}

async fn drain(body: Body) {
    let mut body = body.into_data_stream();
    while body.next().await.is_some_and(|frame| frame.is_ok()) {}
}

fn finished(app: &App, parts: &Parts, bucket: &str, object: &Object) -> Response {
    let base = address::base(parts, app);
    Json(object.json(&base, bucket)).into_response()
}

fn incomplete(session: &mut Session) -> Result<Response, ApiError> {
    let persisted = session.persisted()?;
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    if persisted > 0 {
        let range = format!("bytes=0-{}", persisted - 1);
        let range = range.parse().expect("digits make a header value");
        response.headers_mut().insert("range", range);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        let chunk = |first, last, total| Some(Range::Chunk { first, last, total });
        assert_eq!(parse("bytes 0-9/10"), chunk(0, 9, Some(10)));
        assert_eq!(parse("bytes 5-9/*"), chunk(5, 9, None));
        assert_eq!(parse("bytes 5-*/10"), chunk(5, 9, Some(10)));
        assert_eq!(parse("bytes 5-*/*"), Some(Range::Rest { first: 5 }));
        assert_eq!(parse("bytes */*"), Some(Range::Status { total: None }));
        assert_eq!(parse("bytes */7"), Some(Range::Status { total: Some(7) }));
        for bad in [
            "",
            "bytes",
            "bytes 9-5/10",
            "bytes 0-9/9",
            "items 0-1/2",
            "bytes -1-2/3",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
