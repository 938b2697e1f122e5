//! `objects.insert`: media and multipart in one request, and the start of a
//! resumable session.

use crate::{
    App,
    call::{Call, parse, resource},
    conditions::Conditions,
    content::Incoming,
    error::ApiError,
    multipart::Parts,
    object::{Described, Object},
    sessions::NewSession,
    store::{Put, check_object_name},
};
use axum::{
    body::Body,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use std::sync::Arc;

/// Metadata parts are small; this limits the memory that a hostile one can use.
const MAX_METADATA: usize = 2 * 1024 * 1024;

pub(crate) async fn insert(
    State(app): State<Arc<App>>,
    Path(bucket): Path<String>,
    call: Call,
    body: Body,
) -> Result<Response, ApiError> {
    let object = match call.query.get("uploadType").unwrap_or("media") {
        "media" => media(&app, &bucket, &call, body).await?,
        "multipart" => multipart(&app, &bucket, &call, body).await?,
        "resumable" => return start(&app, &bucket, &call, body).await,
        other => {
            return Err(ApiError::invalid(format!(
                "Invalid value for uploadType: \"{other}\" is not media, multipart or resumable."
            )));
        }
    };
    Ok(call.answer(object.json(&call.base, &bucket)))
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

pub(crate) fn hash_headers(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all("x-goog-hash")
        .iter()
        .filter_map(|value| value.to_str().ok())
}

/// Checks whether the caller may write, and whether they may replace an existing object.
pub(crate) fn rights(
    app: &App,
    caller: &sidestep_sandbox_identity::Caller,
    bucket: &str,
    conditions: Conditions,
) -> Result<Put, ApiError> {
    let bucket = app.objects_with(caller, "storage.objects.create", bucket)?;
    Ok(Put {
        conditions,
        overwrite: app.require(caller, "storage.objects.delete", &bucket, "object"),
        components: None,
    })
}

async fn media(app: &App, bucket: &str, call: &Call, body: Body) -> Result<Object, ApiError> {
    let put = rights(app, &call.caller, bucket, Conditions::read(&call.query)?)?;
    let name = call.query.get("name").unwrap_or_default();
    check_object_name(name)?;
    let mut described = Described::default();
    described.default_type(text(&call.headers, "content-type"));
    if let Some(encoding) = call.query.get("contentEncoding") {
        let encoding = encoding.into();
        described.fields.insert("contentEncoding".into(), encoding);
    }
    described.expect_hashes(hash_headers(&call.headers));
    if let Some(md5) = text(&call.headers, "content-md5") {
        described.md5 = Some(md5.to_owned());
    }
    let mut incoming = Incoming::create(&app.store.content()).map_err(ApiError::disk)?;
    let mut body = body.into_data_stream();
    while let Some(frame) = body.next().await {
        let frame = frame.map_err(|_| ApiError::invalid("The upload's body was cut short."))?;
        incoming.write(&frame).map_err(ApiError::disk)?;
    }
    app.store.put(bucket, name, described, incoming, put)
}

async fn multipart(app: &App, bucket: &str, call: &Call, body: Body) -> Result<Object, ApiError> {
    let put = rights(app, &call.caller, bucket, Conditions::read(&call.query)?)?;
    let short = || ApiError::invalid("A multipart upload has a metadata part and a media part.");
    let content_type = text(&call.headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let mut parts = Parts::new(body, content_type)?;
    parts.next().await?.ok_or_else(short)?;
    let mut described = Described::read(&parse(&parts.small(MAX_METADATA).await?)?)?;
    described.expect_hashes(hash_headers(&call.headers));
    let name = call.query.get("name").map(str::to_owned);
    let name = name.or(described.name.take()).unwrap_or_default();
    check_object_name(&name)?;
    let kind = parts.next().await?.ok_or_else(short)?;
    described.default_type(Some(&kind));
    let mut incoming = Incoming::create(&app.store.content()).map_err(ApiError::disk)?;
    while let Some(chunk) = parts.chunk().await? {
        incoming.write(&chunk).map_err(ApiError::disk)?;
    }
    // Hashes that are only known after the bytes were sent are in a separate part.
    while parts.next().await?.is_some() {
        let trailing = Described::read(&parse(&parts.small(MAX_METADATA).await?)?)?;
        described.crc32c = trailing.crc32c.or(described.crc32c);
        described.md5 = trailing.md5.or(described.md5);
    }
    app.store.put(bucket, &name, described, incoming, put)
}

async fn start(app: &App, bucket: &str, call: &Call, body: Body) -> Result<Response, ApiError> {
    let conditions = Conditions::read(&call.query)?;
    let put = rights(app, &call.caller, bucket, conditions)?;
    let mut described = Described::read(&resource(body).await?)?;
    described.expect_hashes(hash_headers(&call.headers));
    let name = call.query.get("name").map(str::to_owned);
    let name = name.or(described.name.take()).unwrap_or_default();
    check_object_name(&name)?;
    described.default_type(text(&call.headers, "x-upload-content-type"));
    // Checked here to avoid the transfer, and again when the bytes become the object.
    let old = app.store.find(bucket, &name, None)?;
    conditions.check(old.as_ref(), crate::conditions::Purpose::Write)?;
    if old.is_some() {
        put.overwrite?;
    }
    let total = text(&call.headers, "x-upload-content-length")
        .map(|total| {
            total.parse().map_err(|_| {
                ApiError::invalid(format!("Invalid X-Upload-Content-Length: \"{total}\""))
            })
        })
        .transpose()?;
    let id = app.sessions.start(NewSession {
        bucket: bucket.to_owned(),
        name: name.clone(),
        described,
        conditions,
        caller: call.caller.clone(),
        total,
    })?;
    let location = format!(
        "{}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name={}&upload_id={id}",
        call.base,
        crate::address::escaped(&name),
    );
    let headers = [("location", location), ("x-guploader-uploadid", id)];
    Ok((StatusCode::OK, headers, axum::Json(json!({}))).into_response())
}

impl Described {
    /// Sets the content type of the transfer, unless the metadata have one.
    pub(crate) fn default_type(&mut self, kind: Option<&str>) {
        if let Some(kind) = kind.filter(|kind| !kind.is_empty()) {
            self.fields
                .entry("contentType")
                .or_insert_with(|| kind.into());
        }
    }
}
