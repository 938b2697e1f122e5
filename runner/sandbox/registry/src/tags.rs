//! `GET /v2/NAME/tags/list`, with its pages.

use crate::{App, auth::Action, error::ApiError, name::Image};
use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::{Method, request::Parts};
use serde_json::json;
use sidestep_sandbox_base::{Origin, Query};

pub(crate) fn list(
    app: &App,
    parts: &Parts,
    origin: &Origin,
    image: &Image,
) -> Result<Response, ApiError> {
    if parts.method != Method::GET {
        return Err(ApiError::unsupported());
    }
    app.permit(parts, origin, image, Action::Pull)?;
    let query = Query::parse(parts.uri.query());
    let mut tags = app.disk.tags(image)?;
    if tags.is_empty() && app.disk.manifests(image)?.is_empty() {
        let message = format!("Image \"{}\" not found", image.written);
        return Err(ApiError::name_unknown(message));
    }
    if let Some(last) = query.get("last") {
        tags.retain(|tag| tag.as_str() > last);
    }
    let page = query.get("n").and_then(|n| n.parse::<usize>().ok());
    let more = page.filter(|page| tags.len() > *page);
    tags.truncate(more.unwrap_or(tags.len()));
    let next = more.and_then(|page| {
        let last = tags.last()?;
        let path = format!("/v2/{}/tags/list?n={page}&last={last}", image.written);
        Some([("link", format!("<{path}>; rel=\"next\""))])
    });
    let body = Json(json!({ "name": image.written, "tags": tags }));
    Ok(match next {
        Some(link) => (link, body).into_response(),
        None => body.into_response(),
    })
}
