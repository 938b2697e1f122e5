//! `objects.list`: prefixes, delimiters, pages.

use crate::{App, call::Call, error::ApiError};
use axum::{
    extract::{Path, State},
    response::Response,
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Value, json};
use std::{
    ops::Bound::{Excluded, Included, Unbounded},
    sync::Arc,
};

/// The maximum and the default number of entries of a page.
const PAGE: usize = 1000;

/// An entry of a page.
enum Entry {
    Object(Value),
    Prefix(String),
}

pub(crate) async fn objects(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    call: Call,
) -> Result<Response, ApiError> {
    app.bucket_with(&call.caller, "storage.objects.list", &name)?;
    let query = &call.query;
    let prefix = query.get("prefix").unwrap_or_default();
    let delimiter = query.get("delimiter").filter(|text| !text.is_empty());
    let trailing = query.flag("includeTrailingDelimiter");
    let end = query.get("endOffset").filter(|text| !text.is_empty());
    let max = match query.number::<i64>("maxResults")? {
        None | Some(0) => PAGE,
        Some(max) => usize::try_from(max)
            .map_err(|_| ApiError::invalid(format!("Invalid value for maxResults: {max}")))?
            .min(PAGE),
    };
    let after = query.get("pageToken").map(decode).transpose()?;
    let from = query.get("startOffset").unwrap_or_default().max(prefix);

    let (entries, more) = app.store.read(&name, |contents| {
        let mut entries: Vec<Entry> = Vec::new();
        let mut last = String::new();
        let start = match &after {
            Some(after) if after.as_str() >= from => Excluded(after.as_str()),
            _ => Included(from),
        };
        let mut skip: Option<String> = after.clone().filter(|after| {
            // The previous page ended in a prefix: skip everything under it.
            delimiter
                .is_some_and(|delimiter| after.len() > prefix.len() && after.ends_with(delimiter))
        });
        for (key, object) in contents.objects.range::<str, _>((start, Unbounded)) {
            if !key.starts_with(prefix) || end.is_some_and(|end| key.as_str() >= end) {
                break;
            }
            if skip
                .as_ref()
                .is_some_and(|told| key.starts_with(told.as_str()))
            {
                continue;
            }
            let group = delimiter.and_then(|delimiter| {
                let at = key[prefix.len()..].find(delimiter)?;
                Some(key[..prefix.len() + at + delimiter.len()].to_owned())
            });
            if entries.len() >= max {
                return (entries, Some(last));
            }
            if let Some(group) = group {
                if trailing && *key == group && entries.len() < max {
                    entries.push(Entry::Object(object.json(&call.base, &name)));
                }
                last.clone_from(&group);
                entries.push(Entry::Prefix(group.clone()));
                skip = Some(group);
            } else {
                last.clone_from(key);
                entries.push(Entry::Object(object.json(&call.base, &name)));
            }
        }
        (entries, None)
    })?;

    let (mut items, mut prefixes) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Entry::Object(object) => items.push(object),
            Entry::Prefix(prefix) => prefixes.push(Value::from(prefix)),
        }
    }
    let mut answer = json!({ "kind": "storage#objects" });
    if let Some(last) = more {
        answer["nextPageToken"] = BASE64_URL_SAFE_NO_PAD.encode(last).into();
    }
    if !prefixes.is_empty() {
        answer["prefixes"] = prefixes.into();
    }
    if !items.is_empty() {
        answer["items"] = items.into();
    }
    Ok(call.answer(answer))
}

fn decode(token: &str) -> Result<String, ApiError> {
    BASE64_URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| ApiError::invalid("Invalid value for pageToken."))
}
