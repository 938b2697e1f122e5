//! The read operations of the XML API: `GET` and `HEAD` of `/BUCKET/OBJECT`, which Go's client
//! uses.

use crate::{
    App,
    call::Call,
    conditions::{Conditions, Purpose},
    download,
    error::ApiError,
    object::Object,
    upload::text,
};
use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::sync::Arc;

pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path((bucket, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let answer = async {
        let call = Call::read(&parts, &app)?;
        read(&app, &bucket, &name, &call).await
    };
    answer.await.unwrap_or_else(|error: ApiError| error.xml())
}

async fn read(app: &App, bucket: &str, name: &str, call: &Call) -> Result<Response, ApiError> {
    let facts = app.object_with(&call.caller, "storage.objects.get", bucket, name)?;
    let generation = call.query.number("generation")?;
    let opened = app.store.open_object(bucket, name, generation)?;
    let there = opened.as_ref().map(|(object, _)| object);
    conditions(call)?.check(there, Purpose::Read)?;
    let (object, file) = opened.ok_or_else(|| app.missing(&call.caller, &facts, name))?;
    download::serve(&object, file, &call.headers, &etag(&object)).await
}

/// Reads the preconditions, which are headers in the XML API.
fn conditions(call: &Call) -> Result<Conditions, ApiError> {
    let header = |name: &str| match text(&call.headers, name) {
        Some(value) => value.parse().map(Some).map_err(|_| {
            ApiError::invalid(format!("Invalid value of the header {name}: \"{value}\""))
        }),
        None => Ok(None),
    };
    Ok(Conditions::both(
        header("x-goog-if-generation-match")?,
        header("x-goog-if-metageneration-match")?,
    ))
}

/// Returns the entity tag, which in this API is the MD5 in hexadecimal, if there is one.
fn etag(object: &Object) -> String {
    let md5 = object
        .md5
        .as_ref()
        .and_then(|md5| BASE64_STANDARD.decode(md5).ok());
    let etag = md5.map_or_else(|| object.etag(), hex::encode);
    format!("\"{etag}\"")
}
