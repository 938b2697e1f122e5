//! The HTTP servers: one router per API.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sidestep_sandbox_base::Mask;
use sidestep_sandbox_identity::{Access as _, Caller};

use crate::api::Api;
use crate::apis;
use crate::call::{Call, bearer};
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};

/// The maximum size of a request body, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Serves one API at the root of its own address.
pub fn router(cloud: &Cloud, api: Api) -> Router {
    Router::new()
        .fallback(serve_one)
        .with_state((cloud.clone(), api))
}

/// Serves all the APIs at one address and routes by the request's host name (`iam.googleapis.com`
/// and so on), for clients whose endpoints cannot be configured.
pub fn by_host(cloud: &Cloud) -> Router {
    Router::new().fallback(serve_host).with_state(cloud.clone())
}

async fn serve_one(State((cloud, api)): State<(Cloud, Api)>, request: Request) -> Response {
    serve(&cloud, api, request).await
}

async fn serve_host(State(cloud): State<Cloud>, request: Request) -> Response {
    let host = request
        .uri()
        .host()
        .or_else(|| {
            request
                .headers()
                .get(header::HOST)
                .and_then(|h| h.to_str().ok())
        })
        .map(|h| h.split(':').next().unwrap_or(h).to_ascii_lowercase())
        .unwrap_or_default();
    if host == "www.googleapis.com" && request.uri().path() == "/oauth2/v3/certs" {
        return axum::Json(cloud.certificates()).into_response();
    }
    match Api::of_host(&host) {
        Some(api) => serve(&cloud, api, request).await,
        None => ApiError::not_found(format!("the sandbox serves no API at host {host:?}"))
            .into_response(),
    }
}

async fn serve(cloud: &Cloud, api: Api, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return ApiError::invalid("Request payload size exceeds the limit: 4194304 bytes.")
            .into_response();
    };
    let exchanges = matches!(api, Api::Sts | Api::SecureToken);
    let caller = if exchanges {
        // The credential of the token exchange is in its body.
        Caller::Anonymous
    } else {
        match cloud.identity().caller(bearer(&parts).as_deref()) {
            Ok(Caller::Anonymous) => return ApiError::no_credential(api).into_response(),
            Ok(caller) => caller,
            Err(_) => return ApiError::bad_credential(api).into_response(),
        }
    };
    let call = match Call::read(api, &parts, &body, caller) {
        Ok(call) => call,
        Err(error) => return error.into_response(),
    };
    if let Some(fixed) = cloud.read(|state| state.refusals.get(api.host()).cloned()) {
        let status = StatusCode::from_u16(fixed.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (status, axum::Json(fixed.body)).into_response();
    }
    tracing::debug!(api = api.host(), method = %parts.method, path = parts.uri.path(), caller = ?call.caller, "call");
    if exchanges {
        return apis::sts::serve(cloud, &call).await;
    }
    let mask = match mask(&call) {
        Ok(mask) => mask,
        Err(error) => return error.into_response(),
    };
    match dispatch(cloud, &call) {
        Ok(answer) => axum::Json(mask.apply(answer)).into_response(),
        Err(error) => error.into_response(),
    }
}

/// Returns the parts of the answer that a call asks for. These APIs take a dot as well as a slash
/// between the names of a path.
fn mask(call: &Call) -> Result<Mask, ApiError> {
    let fields = call
        .query
        .get("fields")
        .or_else(|| call.query.get("$fields"));
    match fields.map(|fields| fields.replace('.', "/")) {
        Some(fields) if !fields.is_empty() => {
            Mask::parse(&fields).map_err(|error| ApiError::invalid(error.to_string()))
        }
        _ => Ok(Mask::default()),
    }
}

fn dispatch(cloud: &Cloud, call: &Call) -> Answer {
    match call.api {
        Api::Sts | Api::SecureToken => Err(call.unserved()),
        Api::Iam => apis::iam::handle(cloud, call),
        Api::IamCredentials => apis::iamcredentials::handle(cloud, call),
        Api::Container => apis::container::handle(cloud, call),
        Api::CloudResourceManager => apis::resourcemanager::handle(cloud, call),
        Api::ServiceUsage => apis::serviceusage::handle(cloud, call),
        Api::ArtifactRegistry => apis::artifactregistry::handle(cloud, call),
        Api::SecretManager => apis::secretmanager::handle(cloud, call),
    }
}
