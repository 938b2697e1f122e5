//! The routing of HTTP requests.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::body::LIMIT;
use super::request::{Form, Request};
use super::{about, logs, read, watch, write};
use crate::shared::Shared;
use crate::status::ApiError;

/// Returns the router of the whole API.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

async fn answer(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let result = respond(&shared, &parts.method, &parts.uri, &parts.headers, body).await;
    result.unwrap_or_else(IntoResponse::into_response)
}

async fn respond(
    shared: &Arc<Shared>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let user = shared.gate.user(headers)?;
    let path = uri.path().trim_end_matches('/');
    if path.is_empty()
        || about::is_public(path)
        || matches!(path, "/api" | "/apis" | "/api/v1")
        || path.starts_with("/openapi")
        || (path.starts_with("/apis/") && path.matches('/').count() <= 3)
    {
        return about::about(shared, method, path, headers, &user);
    }
    let request = Request::parse(method, uri)?;
    shared.gate.require(&user, request.action())?;
    if !request.subresource.is_empty()
        && !request
            .kind
            .subresources
            .iter()
            .any(|(name, ..)| *name == request.subresource)
    {
        return Err(ApiError::no_such_page());
    }
    match request.verb {
        "get" if request.subresource == "log" => logs::logs(
            &shared.store,
            &shared.logs,
            shared.shutdown.clone(),
            &request,
        ),
        "get" => {
            let form = Form::accepted(headers, &request.query)?;
            Ok(axum::Json(read::get(&shared.store, &request, form)?).into_response())
        }
        "list" => {
            let form = Form::accepted(headers, &request.query)?;
            Ok(axum::Json(read::list(&shared.store, &request, form)?).into_response())
        }
        "watch" => {
            let context = watch::Context {
                store: shared.store.clone(),
                bookmarks: shared.config.timing.bookmarks,
                shutdown: shared.shutdown.clone(),
            };
            watch::watch(context, &request, Form::accepted(headers, &request.query)?)
        }
        _ => {
            let bytes = collect(body).await?;
            write::write(shared, &user, &request, headers, &bytes)
        }
    }
}

async fn collect(body: Body) -> Result<bytes::Bytes, ApiError> {
    match Limited::new(body, LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {LIMIT}"),
        )),
        Err(error) => Err(ApiError::bad_request(format!(
            "the body could not be read: {error}"
        ))),
    }
}
