//! Replaces the manifest of a built plugin.

use std::borrow::Cow;

use serde_json::{Map, Value};
use wasm_encoder::{ComponentSection as _, CustomSection};

const NAME: &str = "sidestep:manifest";
/// Bytes before a component's first section: magic and version.
const HEADER: usize = 8;

/// Returns the component with its manifest changed.
pub(crate) fn changed(component: &[u8], change: impl FnOnce(&mut Map<String, Value>)) -> Vec<u8> {
    let (mut kept, mut rest) = component.split_at(HEADER);
    let mut bytes = kept.to_vec();
    let mut manifest = None;
    while let [id, after @ ..] = rest {
        let (length, after) = leb(after);
        let (payload, next) = after.split_at(length);
        (kept, rest) = rest.split_at(rest.len() - next.len());
        match payload.strip_prefix(&[NAME.len() as u8][..]) {
            Some(named) if *id == 0 && named.starts_with(NAME.as_bytes()) => {
                manifest = Some(&named[NAME.len()..]);
            }
            _ => bytes.extend_from_slice(kept),
        }
    }
    let manifest = manifest.expect("a plugin has a manifest");
    let mut manifest: Map<String, Value> = serde_json::from_slice(manifest).expect("JSON");
    change(&mut manifest);
    let data = serde_json::to_vec(&manifest).expect("JSON");
    CustomSection {
        name: NAME.into(),
        data: Cow::Owned(data),
    }
    .append_to_component(&mut bytes);
    bytes
}

/// Returns a LEB128 length and the bytes after it.
fn leb(bytes: &[u8]) -> (usize, &[u8]) {
    let last = bytes.iter().position(|byte| byte & 0x80 == 0);
    let (length, rest) = bytes.split_at(last.expect("a length ends") + 1);
    let add = |sum: usize, byte: &u8| (sum << 7) | usize::from(byte & 0x7f);
    (length.iter().rev().fold(0, add), rest)
}
