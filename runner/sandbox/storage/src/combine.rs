//! Server-side creation of objects from others: compose, copy, rewrite.

use crate::{
    App,
    call::{Call, resource},
    conditions::{Conditions, Purpose},
    content::Incoming,
    error::ApiError,
    object::{Described, Object},
    upload::rights,
};
use axum::{
    body::Body,
    extract::{Path, State},
    response::Response,
};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{self, Read as _},
    sync::Arc,
};

/// The maximum number of sources of a compose
/// (<https://cloud.google.com/storage/docs/composite-objects>).
const MAX_SOURCES: usize = 32;

/// Concatenates files into a new content file, on a blocking thread.
async fn join(app: &Arc<App>, files: Vec<File>) -> Result<Incoming, ApiError> {
    let folder = app.store.content();
    let copied = tokio::task::spawn_blocking(move || -> io::Result<Incoming> {
        let mut incoming = Incoming::create(&folder)?;
        let mut buffer = vec![0; 256 * 1024];
        for mut file in files {
            loop {
                let read = file.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                incoming.write(&buffer[..read])?;
            }
        }
        Ok(incoming)
    });
    copied
        .await
        .map_err(|error| ApiError::disk(io::Error::other(error)))?
        .map_err(ApiError::disk)
}

pub(crate) async fn compose(
    State(app): State<Arc<App>>,
    Path((bucket, name)): Path<(String, String)>,
    call: Call,
    body: Body,
) -> Result<Response, ApiError> {
    let mut put = rights(&app, &call.caller, &bucket, Conditions::read(&call.query)?)?;
    let request = resource(body).await?;
    let facts = app.store.bucket(&bucket)?;
    let sources = request["sourceObjects"].as_array();
    let sources = sources
        .filter(|sources| !sources.is_empty())
        .ok_or_else(|| ApiError::required("You must provide at least one source component."))?;
    if sources.len() > MAX_SOURCES {
        return Err(ApiError::invalid(format!(
            "The number of source components provided ({}) exceeds the maximum (32)",
            sources.len()
        )));
    }
    app.require(&call.caller, "storage.objects.get", &facts, "object")?;
    let (mut files, mut components) = (Vec::new(), 0_u32);
    let mut first = None;
    for source in sources {
        let from = source["name"]
            .as_str()
            .ok_or_else(|| ApiError::required("Required: sourceObjects[].name"))?;
        let generation = integer(&source["generation"])?;
        let opened = app.store.open_object(&bucket, from, generation)?;
        let wanted = integer(&source["objectPreconditions"]["ifGenerationMatch"])?;
        let there = opened.as_ref().map(|(object, _)| object);
        Conditions::generation(wanted).check(there, Purpose::Write)?;
        let (object, file) = opened.ok_or_else(|| ApiError::no_object(&bucket, from))?;
        components = components.saturating_add(object.component_count.unwrap_or(1));
        first.get_or_insert(object);
        files.push(file);
    }
    let mut described = match &request["destination"] {
        Value::Null => Described::default(),
        destination => Described::read(destination)?,
    };
    if let Some(class) = first
        .as_ref()
        .and_then(|first| first.fields.get("storageClass"))
    {
        described
            .fields
            .entry("storageClass")
            .or_insert_with(|| class.clone());
    }
    put.components = Some(components);
    let incoming = join(&app, files).await?;
    let object = app.store.put(&bucket, &name, described, incoming, put)?;
    Ok(call.answer(object.json(&call.base, &bucket)))
}

/// Reads a number that the JSON API writes as a string.
fn integer(value: &Value) -> Result<Option<i64>, ApiError> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    };
    let number = number.ok_or_else(|| ApiError::invalid(format!("Invalid generation: {value}")))?;
    Ok(Some(number))
}

type Route = Path<(String, String, String, String)>;

async fn copied(
    app: &Arc<App>,
    (from_bucket, from, to_bucket, to): (&str, &str, &str, &str),
    call: &Call,
    body: Body,
) -> Result<Object, ApiError> {
    let source = app.object_with(&call.caller, "storage.objects.get", from_bucket, from)?;
    let put = rights(app, &call.caller, to_bucket, Conditions::read(&call.query)?)?;
    let generation = call.query.number("sourceGeneration")?;
    let opened = app.store.open_object(from_bucket, from, generation)?;
    let there = opened.as_ref().map(|(object, _)| object);
    Conditions::of_source(&call.query)?.check(there, Purpose::Write)?;
    let (object, file) = opened.ok_or_else(|| app.missing(&call.caller, &source, from))?;
    let resource = resource(body).await?;
    let mut described = Described::read(&resource)?;
    // A resource in the body replaces the source's metadata; without one, they are copied.
    if resource.as_object().is_none_or(serde_json::Map::is_empty) {
        described.fields = object.fields;
        described.metadata = object.metadata;
    }
    let incoming = join(app, vec![file]).await?;
    app.store.put(to_bucket, to, described, incoming, put)
}

pub(crate) async fn copy(
    State(app): State<Arc<App>>,
    Path((from_bucket, from, bucket, name)): Route,
    call: Call,
    body: Body,
) -> Result<Response, ApiError> {
    let route = (&*from_bucket, &*from, &*bucket, &*name);
    let object = copied(&app, route, &call, body).await?;
    Ok(call.answer(object.json(&call.base, &bucket)))
}

/// Handles `objects.rewrite`, which always finishes in one call here.
pub(crate) async fn rewrite(
    State(app): State<Arc<App>>,
    Path((from_bucket, from, bucket, name)): Route,
    call: Call,
    body: Body,
) -> Result<Response, ApiError> {
    let route = (&*from_bucket, &*from, &*bucket, &*name);
    let object = copied(&app, route, &call, body).await?;
    Ok(call.answer(json!({
        "kind": "storage#rewriteResponse",
        "totalBytesRewritten": object.size.to_string(),
        "objectSize": object.size.to_string(),
        "done": true,
        "resource": object.json(&call.base, &bucket),
    })))
}
