//! `GET /v2/NAME/referrers/DIGEST` (distribution spec, "Listing Referrers").

use crate::{App, auth::Action, digest::Digest, error::ApiError, name::Image};
use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, Method, header, request::Parts};
use serde_json::json;
use sidestep_sandbox_base::{Origin, Query};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(crate) fn list(
    app: &App,
    parts: &Parts,
    origin: &Origin,
    image: &Image,
    digest: &str,
) -> Result<Response, ApiError> {
    if parts.method != Method::GET {
        return Err(ApiError::unsupported());
    }
    app.permit(parts, origin, image, Action::Pull)?;
    let subject = Digest::parse(digest)?.to_string();
    let query = Query::parse(parts.uri.query());
    let kind = query.get("artifactType");
    let mut found = Vec::new();
    for digest in app.disk.manifests(image)? {
        let Some(facts) = app.disk.facts(image, &digest)? else {
            continue;
        };
        let wanted = kind.is_none_or(|kind| facts.artifact_type.as_deref() == Some(kind));
        if facts.subject.as_ref() != Some(&subject) || !wanted {
            continue;
        }
        let mut descriptor = json!({
            "mediaType": facts.media_type,
            "digest": digest.to_string(),
            "size": facts.size,
        });
        if let Some(kind) = facts.artifact_type {
            descriptor["artifactType"] = kind.into();
        }
        if let Some(annotations) = facts.annotations {
            descriptor["annotations"] = annotations;
        }
        found.push(descriptor);
    }
    let body = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": found });
    let mut response = Json(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(INDEX));
    if kind.is_some() {
        let filter = HeaderValue::from_static("artifactType");
        headers.insert("oci-filters-applied", filter);
    }
    Ok(response)
}
