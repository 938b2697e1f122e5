//! From an HTTP request to its answer.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Value, json};

use super::body::{self, LIMIT, Strictness};
use super::create::{Creation, create};
use super::delete::{self, Deleted, Options};
use super::request::{Form, Request};
use super::update::{Patch, Update, Written};
use super::{logs, read, review, watch};
use crate::auth::User;
use crate::cluster::Shared;
use crate::status::ApiError;
use crate::store::Key;
use crate::{discovery, openapi};

/// The whole API as a router.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

/// What anybody may read.
///
/// The keys as well: GKE publishes a cluster's issuer to the world.
pub(crate) fn is_public(path: &str) -> bool {
    matches!(
        path,
        "/version"
            | "/version/"
            | "/healthz"
            | "/livez"
            | "/readyz"
            | "/openid/v1/jwks"
            | "/.well-known/openid-configuration"
    )
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
        || is_public(path)
        || matches!(path, "/api" | "/apis" | "/api/v1")
        || path.starts_with("/openapi")
        || (path.starts_with("/apis/") && path.matches('/').count() <= 3)
    {
        return about(shared, method, path, headers, &user);
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
            write(shared, &user, &request, headers, &bytes)
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

/// Discovery, version, health, keys and schemas.
fn about(
    shared: &Shared,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    user: &User,
) -> Result<Response, ApiError> {
    if !is_public(path) && user.is_anonymous() {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            format!(
                "forbidden: User \"system:anonymous\" cannot {} path \"{}\"",
                method.as_str().to_lowercase(),
                if path.is_empty() { "/" } else { path }
            ),
        ));
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(ApiError::method_not_allowed());
    }
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let aggregated = accept.contains("as=APIGroupDiscoveryList") && accept.contains("v=v2;");
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let value: Value = match parts.as_slice() {
        [] => {
            json!({ "paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"] })
        }
        ["version"] => version(&shared.config.version),
        ["healthz" | "livez" | "readyz"] => return Ok("ok".into_response()),
        ["openid", "v1", "jwks"] => {
            serde_json::to_value(shared.tokens.jwks()).map_err(ApiError::internal)?
        }
        [".well-known", "openid-configuration"] => json!({
            "issuer": shared.tokens.issuer(),
            "jwks_uri": format!("{}/jwks", shared.tokens.issuer()),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }),
        ["api" | "apis"] if aggregated => {
            let mut response = axum::Json(discovery::aggregated(path == "/api")).into_response();
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static(
                    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
                ),
            );
            return Ok(response);
        }
        ["api"] => discovery::versions(
            headers
                .get(header::HOST)
                .and_then(|h| h.to_str().ok())
                .unwrap_or_default(),
        ),
        ["api", version] => discovery::resources("", version).ok_or_else(ApiError::no_such_page)?,
        ["apis"] => discovery::group_list(),
        ["apis", group] => discovery::group(group).ok_or_else(ApiError::no_such_page)?,
        ["apis", group, version] => {
            discovery::resources(group, version).ok_or_else(ApiError::no_such_page)?
        }
        ["openapi", "v3"] => openapi::index(),
        ["openapi", "v3", rest @ ..] => openapi::find(&rest.join("/"))
            .ok_or_else(ApiError::no_such_page)?
            .clone(),
        _ => return Err(ApiError::no_such_page()),
    };
    Ok(axum::Json(value).into_response())
}

fn version(git: &str) -> Value {
    let mut numbers = git.trim_start_matches('v').split('.');
    json!({
        "major": numbers.next().unwrap_or_default(),
        "minor": numbers.next().unwrap_or_default(),
        "gitVersion": git,
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "", "compiler": "rustc", "platform": "linux/amd64",
    })
}

fn write(
    shared: &Shared,
    user: &User,
    request: &Request,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Response, ApiError> {
    let kind = request.kind;
    match (request.verb, request.subresource.as_str()) {
        ("create", "") if !kind.stored() => {
            let object = body::read(headers, bytes)?;
            let answer = review::review(&shared.gate, user, kind, object)?;
            Ok((StatusCode::CREATED, axum::Json(answer)).into_response())
        }
        ("create", "token") => {
            let answer = review::token_request(
                &shared.gate,
                &shared.store,
                kind,
                &request.namespace,
                &request.name,
                body::read(headers, bytes)?,
            )?;
            Ok((StatusCode::CREATED, axum::Json(answer)).into_response())
        }
        ("create", "eviction") => {
            let eviction = body::read(headers, bytes)?;
            let options = delete_options(request, Some(eviction["deleteOptions"].clone()))?;
            let deleted = remove(shared, request, &request.name, &options)?;
            drop(deleted);
            let answer = json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                "code": 201,
            });
            Ok((StatusCode::CREATED, axum::Json(answer)).into_response())
        }
        ("create", "") if request.name.is_empty() => create_object(shared, request, headers, bytes),
        ("update" | "patch", "" | "status") => change(shared, request, headers, bytes),
        ("delete", "") => {
            let body = if bytes.is_empty() {
                None
            } else {
                Some(body::read(headers, bytes)?)
            };
            let options = delete_options(request, body)?;
            let deleted = remove(shared, request, &request.name, &options)?;
            Ok(axum::Json(delete::answer(kind, &deleted)).into_response())
        }
        ("deletecollection", "") => {
            let body = if bytes.is_empty() {
                None
            } else {
                Some(body::read(headers, bytes)?)
            };
            let options = delete_options(request, body)?;
            remove_all(shared, request, &options)
        }
        _ => Err(ApiError::method_not_allowed()),
    }
}

fn create_object(
    shared: &Shared,
    request: &Request,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Response, ApiError> {
    let kind = request.kind;
    if kind.namespaced && request.namespace.is_empty() {
        return Err(ApiError::bad_request(
            "an empty namespace may not be set during creation",
        ));
    }
    let form = Form::accepted(headers, &request.query)?;
    let strictness = Strictness::parse(request.query.get("fieldValidation"))?;
    let mut object = body::read(headers, bytes)?;
    let warnings = body::check(kind, &mut object, strictness)?;
    if object["metadata"]["resourceVersion"]
        .as_str()
        .is_some_and(|v| !v.is_empty())
    {
        return Err(ApiError::bad_request(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    let manager = request.manager(headers);
    let ca = shared.authority.pem();
    let creation = Creation {
        kind,
        namespace: &request.namespace,
        manager: Some(&manager),
        ca,
    };
    let object = shared
        .store
        .write_if(request.really()?, |tx| create(tx, &creation, object))?;
    Ok(written(
        request,
        form,
        &Written {
            object,
            created: true,
            warnings,
        },
    ))
}

fn change(
    shared: &Shared,
    request: &Request,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Response, ApiError> {
    let form = Form::accepted(headers, &request.query)?;
    let manager = request.manager(headers);
    let update = Update {
        kind: request.kind,
        namespace: &request.namespace,
        name: &request.name,
        subresource: &request.subresource,
        manager: &manager,
        strictness: Strictness::parse(request.query.get("fieldValidation"))?,
        ca: shared.authority.pem(),
    };
    let text = body::read(headers, bytes)?;
    let really = request.really()?;
    let result = if request.verb == "update" {
        shared
            .store
            .write_if(really, |tx| update.replace(tx, text))?
    } else {
        let patch = match body::content_type(headers).as_str() {
            "application/json-patch+json" => Patch::Json(text),
            "application/merge-patch+json" => Patch::Merge(text),
            "application/strategic-merge-patch+json" => Patch::Strategic(text),
            "application/apply-patch+yaml" => {
                if request.query.get("fieldManager").is_none_or(str::is_empty) {
                    return Err(ApiError::new(
                        StatusCode::UNPROCESSABLE_ENTITY,
                        "Invalid",
                        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: \
                         is required for apply patch",
                    ));
                }
                Patch::Apply {
                    wish: text,
                    force: request.query.flag("force"),
                }
            }
            other => {
                return Err(ApiError::unsupported_media(
                    other,
                    &[
                        "application/json-patch+json",
                        "application/merge-patch+json",
                        "application/strategic-merge-patch+json",
                        "application/apply-patch+yaml",
                    ],
                ));
            }
        };
        shared
            .store
            .write_if(really, |tx| update.patch(tx, patch))?
    };
    Ok(written(request, form, &result))
}

fn written(request: &Request, form: Form, result: &Written) -> Response {
    let code = if result.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let shaped = read::shaped(request.kind.plural, &result.object, form);
    let mut response = (code, axum::Json(shaped)).into_response();
    for warning in &result.warnings {
        response
            .headers_mut()
            .append(header::WARNING, warning.clone());
    }
    response
}

fn delete_options(request: &Request, body: Option<Value>) -> Result<Options, ApiError> {
    let mut options: Options = match body {
        None | Some(Value::Null) => Options::default(),
        Some(mut body) => {
            if let Some(map) = body.as_object_mut() {
                map.retain(|_, value| !value.is_null());
            }
            serde_json::from_value(body)
                .map_err(|error| ApiError::bad_request(format!("DeleteOptions: {error}")))?
        }
    };
    if let Some(grace) = request.query.number("gracePeriodSeconds")? {
        options.grace_period_seconds = Some(grace);
    }
    if let Some(policy) = request.query.get("propagationPolicy") {
        options.propagation_policy = Some(policy.to_owned());
    }
    Ok(options)
}

fn remove(
    shared: &Shared,
    request: &Request,
    name: &str,
    options: &Options,
) -> Result<Deleted, ApiError> {
    let really = request.really()? && !options.dry_run.iter().any(|d| d == "All");
    let key = Key::new(request.kind.plural, &request.namespace, name);
    shared
        .store
        .write_if(really, |tx| delete::delete(tx, request.kind, &key, options))
}

fn remove_all(shared: &Shared, request: &Request, options: &Options) -> Result<Response, ApiError> {
    let selector = request.selector()?;
    let (rv, items) = shared.store.list(request.kind.plural, &request.namespace);
    let mut gone = Vec::new();
    for object in items.iter().filter(|o| selector.matches(o)) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let mut here = request.clone();
        object["metadata"]["namespace"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut here.namespace);
        match remove(shared, &here, name, options) {
            Ok(Deleted::Gone(last) | Deleted::Going(last)) => gone.push((*last).clone()),
            Err(error) if error.reason() == "NotFound" => {}
            Err(error) => return Err(error),
        }
    }
    Ok(axum::Json(json!({
        "kind": format!("{}List", request.kind.kind),
        "apiVersion": request.kind.api_version(),
        "metadata": { "resourceVersion": rv.to_string() },
        "items": gone,
    }))
    .into_response())
}
