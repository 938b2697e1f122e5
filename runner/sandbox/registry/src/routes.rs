//! The endpoints under `/v2/`. A repository path can have any number of segments, so the endpoint
//! is found from the end of the path.

use crate::{App, auth, blobs, error::ApiError, manifests, name::Image, referrers, tags};
use axum::{
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;
use std::sync::Arc;

/// Handles `GET /v2/`: confirms that this is a registry, and authenticates the caller.
pub(crate) async fn ping(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let origin = auth::origin(&parts, &app);
    let challenge = || auth::challenge(&origin, None);
    versioned(match app.caller(&parts.headers, &challenge) {
        Ok(Some(_)) => StatusCode::OK.into_response(),
        Ok(None) => ApiError::unauthorized(
            challenge(),
            "Unauthenticated request: get a token from the realm in the challenge.",
        )
        .into_response(),
        Err(error) => error.into_response(),
    })
}

/// An endpoint and its last argument.
#[derive(Debug, PartialEq, Eq)]
enum Endpoint<'a> {
    Start,
    Upload(&'a str),
    Blob(&'a str),
    Manifest(&'a str),
    Tags,
    Referrers(&'a str),
}

fn endpoint(path: &str) -> Option<(&str, Endpoint<'_>)> {
    if let Some(name) = path.strip_suffix("/tags/list") {
        return Some((name, Endpoint::Tags));
    }
    let start = path.strip_suffix("/blobs/uploads/");
    if let Some(name) = start.or_else(|| path.strip_suffix("/blobs/uploads")) {
        return Some((name, Endpoint::Start));
    }
    let (rest, last) = path.rsplit_once('/')?;
    if let Some(name) = rest.strip_suffix("/blobs/uploads") {
        return Some((name, Endpoint::Upload(last)));
    }
    let (name, kind) = rest.rsplit_once('/')?;
    match kind {
        "blobs" => Some((name, Endpoint::Blob(last))),
        "manifests" => Some((name, Endpoint::Manifest(last))),
        "referrers" => Some((name, Endpoint::Referrers(last))),
        _ => None,
    }
}

pub(crate) async fn dispatch(State(app): State<Arc<App>>, request: Request) -> Response {
    let answer = answer(&app, request).await;
    versioned(answer.unwrap_or_else(ApiError::into_response))
}

async fn answer(app: &App, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let origin = auth::origin(&parts, app);
    let path = percent_decode_str(parts.uri.path()).decode_utf8();
    let path = path.map_err(|_| ApiError::name_invalid("The path is not UTF-8."))?;
    let path = path.strip_prefix("/v2/").unwrap_or(&path);
    let (name, endpoint) = endpoint(path).ok_or_else(ApiError::not_found)?;
    let image = Image::parse(origin.host(), name)?;
    let image = &image;
    match endpoint {
        Endpoint::Start => blobs::start(app, &parts, &origin, image, body).await,
        Endpoint::Upload(id) => blobs::upload(app, &parts, &origin, image, id, body).await,
        Endpoint::Blob(digest) => blobs::blob(app, &parts, &origin, image, digest).await,
        Endpoint::Manifest(reference) => {
            manifests::manifest(app, &parts, &origin, image, reference, body).await
        }
        Endpoint::Tags => tags::list(app, &parts, &origin, image),
        Endpoint::Referrers(digest) => referrers::list(app, &parts, &origin, image, digest),
    }
}

fn versioned(mut response: Response) -> Response {
    let version = HeaderValue::from_static("registry/2.0");
    let headers = response.headers_mut();
    headers.insert("docker-distribution-api-version", version);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_found_from_the_end() {
        assert_eq!(
            endpoint("a/b/blobs/uploads/"),
            Some(("a/b", Endpoint::Start))
        );
        assert_eq!(
            endpoint("a/b/blobs/uploads"),
            Some(("a/b", Endpoint::Start))
        );
        assert_eq!(
            endpoint("a/blobs/uploads/x"),
            Some(("a", Endpoint::Upload("x")))
        );
        assert_eq!(
            endpoint("a/blobs/sha256:0"),
            Some(("a", Endpoint::Blob("sha256:0")))
        );
        assert_eq!(endpoint("a/tags/list"), Some(("a", Endpoint::Tags)));
        assert_eq!(
            endpoint("a/manifests/manifests/list"),
            Some(("a/manifests", Endpoint::Manifest("list")))
        );
        assert_eq!(endpoint("a/other/x"), None);
        assert_eq!(endpoint("x"), None);
    }
}
