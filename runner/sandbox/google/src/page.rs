//! Paginated lists, with `pageSize` and `pageToken`.

use serde_json::{Value, json};

use crate::call::Call;
use crate::error::{Answer, ApiError};

/// The maximum page size, as in most of Google's APIs.
const LARGEST: usize = 1000;

/// Returns one page of `items` under `key`; the next page's token is an offset.
pub(crate) fn page(call: &Call, key: &str, items: Vec<Value>) -> Answer {
    let size = match call.query.get("pageSize").map(str::parse::<usize>) {
        None | Some(Ok(0)) => LARGEST,
        Some(Ok(size)) => size.min(LARGEST),
        Some(Err(_)) => return Err(ApiError::invalid("Invalid value for page_size.")),
    };
    let start = match call
        .query
        .get("pageToken")
        .filter(|t| !t.is_empty())
        .map(str::parse::<usize>)
    {
        None => 0,
        Some(Ok(start)) => start,
        Some(Err(_)) => return Err(ApiError::invalid("Invalid value for page_token.")),
    };
    let more = items.len() > start.saturating_add(size);
    let shown: Vec<Value> = items.into_iter().skip(start).take(size).collect();
    let mut answer = json!({});
    if !shown.is_empty() {
        answer[key] = Value::from(shown);
    }
    if more {
        answer["nextPageToken"] = Value::from((start + size).to_string());
    }
    Ok(answer)
}
