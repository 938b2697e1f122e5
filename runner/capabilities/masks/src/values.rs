//! Secrets in JSON values.

use std::sync::Arc;

use serde_json::Value;

use super::needles::Needles;
use super::{MASK, found_in, mask};

/// Returns the path (a JSON pointer, RFC 6901) of the first value whose text, number or key
/// contains a secret; keys in the path are masked.
pub(super) fn find(needles: &Arc<Needles>, value: &Value) -> Option<String> {
    find_below(needles, value, &mut String::new())
}

fn find_below(needles: &Arc<Needles>, value: &Value, at: &mut String) -> Option<String> {
    let depth = at.len();
    match value {
        Value::String(text) => found_in(needles, text).then(|| at.clone()),
        // A secret of digits may come back as a number.
        Value::Number(number) => found_in(needles, &number.to_string()).then(|| at.clone()),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            at.truncate(depth);
            at.push('/');
            at.push_str(&index.to_string());
            find_below(needles, item, at)
        }),
        Value::Object(entries) => entries.iter().find_map(|(key, item)| {
            at.truncate(depth);
            at.push('/');
            // Masked before it is escaped: `~1` in the middle would hide a secret from the mask.
            let masked = mask(needles, key);
            at.push_str(&masked.replace('~', "~0").replace('/', "~1"));
            if found_in(needles, key) {
                return Some(at.clone());
            }
            find_below(needles, item, at)
        }),
        Value::Null | Value::Bool(_) => None,
    }
}

/// Masks every text, number and key in place.
pub(super) fn mask_all(needles: &Arc<Needles>, value: &mut Value) {
    match value {
        Value::String(text) => {
            if let std::borrow::Cow::Owned(masked) = mask(needles, text) {
                *text = masked;
            }
        }
        Value::Number(number) if found_in(needles, &number.to_string()) => {
            *value = Value::String(MASK.to_owned());
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask_all(needles, item)),
        Value::Object(entries) => {
            if entries.keys().any(|key| found_in(needles, key)) {
                *entries = std::mem::take(entries)
                    .into_iter()
                    .map(|(key, item)| (mask(needles, &key).into_owned(), item))
                    .collect();
            }
            entries
                .values_mut()
                .for_each(|item| mask_all(needles, item));
        }
        _ => {}
    }
}
