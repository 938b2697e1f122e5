//! Bodies in Kubernetes' protobuf, which kubectl's typed commands send.
//!
//! Envelope: `k8s\0` and a `runtime.Unknown`. Field numbers: the `generated.proto` files of
//! k8s.io/api (core, authentication, authorization, policy) and k8s.io/apimachinery. Only the kinds
//! that kubectl sends this way are supported, and of their fields only those that a client may set.

use serde_json::{Map, Value, json};

use crate::defaults::encode;

/// The type of a field.
#[derive(Clone, Copy)]
enum Type {
    Text,
    Texts,
    Number,
    Flag,
    /// `map<string, string>`
    TextMap,
    /// `map<string, bytes>`
    ByteMap,
    Message(Fields),
    Messages(Fields),
}

type Fields = &'static [(u64, &'static str, Type)];

use Type::{ByteMap, Flag, Message, Messages, Number, Text, TextMap, Texts};

const OWNER: Fields = &[
    (1, "kind", Text),
    (3, "name", Text),
    (4, "uid", Text),
    (5, "apiVersion", Text),
    (6, "controller", Flag),
    (7, "blockOwnerDeletion", Flag),
];
const META: Fields = &[
    (1, "name", Text),
    (2, "generateName", Text),
    (3, "namespace", Text),
    (5, "uid", Text),
    (6, "resourceVersion", Text),
    (11, "labels", TextMap),
    (12, "annotations", TextMap),
    (13, "ownerReferences", Messages(OWNER)),
    (14, "finalizers", Texts),
];
const NAME: Fields = &[(1, "name", Text)];
const OBJECT: Fields = &[
    (1, "kind", Text),
    (2, "namespace", Text),
    (3, "name", Text),
    (4, "uid", Text),
];
const SERVICE_ACCOUNT: Fields = &[
    (1, "metadata", Message(META)),
    (2, "secrets", Messages(OBJECT)),
    (3, "imagePullSecrets", Messages(NAME)),
    (4, "automountServiceAccountToken", Flag),
];
const SECRET: Fields = &[
    (1, "metadata", Message(META)),
    (2, "data", ByteMap),
    (3, "type", Text),
    (4, "stringData", TextMap),
    (5, "immutable", Flag),
];
const CONFIG_MAP: Fields = &[
    (1, "metadata", Message(META)),
    (2, "data", TextMap),
    (3, "binaryData", ByteMap),
    (4, "immutable", Flag),
];
const NAMESPACE: Fields = &[(1, "metadata", Message(META))];
const ATTRIBUTES: Fields = &[
    (1, "namespace", Text),
    (2, "verb", Text),
    (3, "group", Text),
    (4, "version", Text),
    (5, "resource", Text),
    (6, "subresource", Text),
    (7, "name", Text),
];
const PATH: Fields = &[(1, "path", Text), (2, "verb", Text)];
const ACCESS: Fields = &[
    (1, "resourceAttributes", Message(ATTRIBUTES)),
    (2, "nonResourceAttributes", Message(PATH)),
];
const ACCESS_REVIEW: Fields = &[(1, "metadata", Message(META)), (2, "spec", Message(ACCESS))];
const RULES: Fields = &[(1, "namespace", Text)];
const RULES_REVIEW: Fields = &[(1, "metadata", Message(META)), (2, "spec", Message(RULES))];
const TOKEN: Fields = &[(1, "token", Text), (2, "audiences", Texts)];
const TOKEN_REVIEW: Fields = &[(1, "metadata", Message(META)), (2, "spec", Message(TOKEN))];
const BOUND: Fields = &[
    (1, "kind", Text),
    (2, "apiVersion", Text),
    (3, "name", Text),
    (4, "uid", Text),
];
const WANTED: Fields = &[
    (1, "audiences", Texts),
    (3, "boundObjectRef", Message(BOUND)),
    (4, "expirationSeconds", Number),
];
const TOKEN_REQUEST: Fields = &[(1, "metadata", Message(META)), (2, "spec", Message(WANTED))];
const PRECONDITIONS: Fields = &[(1, "uid", Text), (2, "resourceVersion", Text)];
const DELETE_OPTIONS: Fields = &[
    (1, "gracePeriodSeconds", Number),
    (2, "preconditions", Message(PRECONDITIONS)),
    (3, "orphanDependents", Flag),
    (4, "propagationPolicy", Text),
    (5, "dryRun", Texts),
];
const EVICTION: Fields = &[
    (1, "metadata", Message(META)),
    (2, "deleteOptions", Message(DELETE_OPTIONS)),
];

fn fields_of(kind: &str) -> Option<Fields> {
    Some(match kind {
        "ServiceAccount" => SERVICE_ACCOUNT,
        "Secret" => SECRET,
        "ConfigMap" => CONFIG_MAP,
        "Namespace" | "SelfSubjectReview" => NAMESPACE,
        "SelfSubjectAccessReview" => ACCESS_REVIEW,
        "SelfSubjectRulesReview" => RULES_REVIEW,
        "TokenReview" => TOKEN_REVIEW,
        "TokenRequest" => TOKEN_REQUEST,
        "DeleteOptions" => DELETE_OPTIONS,
        "Eviction" => EVICTION,
        _ => return None,
    })
}

/// The reason why a body cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The kind is only accepted as JSON.
    Kind,
    /// The bytes are not a valid message.
    Broken,
}

/// Reads an object.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, Unread> {
    const ENVELOPE: Fields = &[(1, "apiVersion", Text), (2, "kind", Text)];
    let bytes = bytes.strip_prefix(b"k8s\0").ok_or(Unread::Broken)?;
    let (mut types, mut raw) = (json!({}), &[][..]);
    for field in parse(bytes)? {
        match field {
            (1, Wire::Bytes(bytes)) => types = message(ENVELOPE, bytes)?,
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let kind = types["kind"].as_str().ok_or(Unread::Broken)?;
    let mut object = message(fields_of(kind).ok_or(Unread::Kind)?, raw)?;
    if kind != "DeleteOptions" {
        object["kind"] = types["kind"].clone();
        object["apiVersion"] = types["apiVersion"].clone();
    }
    Ok(object)
}

fn message(fields: Fields, bytes: &[u8]) -> Result<Value, Unread> {
    let mut object = Map::new();
    for (number, wire) in parse(bytes)? {
        let Some((_, name, kind)) = fields.iter().find(|(n, ..)| *n == number) else {
            continue;
        };
        match (kind, wire) {
            // Go writes empty strings that JSON omits.
            (Text, Wire::Bytes([])) => {}
            (Text, Wire::Bytes(bytes)) => {
                object.insert((*name).to_owned(), text(bytes)?.into());
            }
            (Texts, Wire::Bytes(bytes)) => push(&mut object, name, text(bytes)?.into()),
            (Number, Wire::Number(n)) => {
                object.insert((*name).to_owned(), n.cast_signed().into());
            }
            (Flag, Wire::Number(n)) => {
                object.insert((*name).to_owned(), (n != 0).into());
            }
            (TextMap | ByteMap, Wire::Bytes(bytes)) => {
                let (mut key, mut value) = (String::new(), &[][..]);
                for part in parse(bytes)? {
                    match part {
                        (1, Wire::Bytes(bytes)) => key = text(bytes)?,
                        (2, Wire::Bytes(bytes)) => value = bytes,
                        _ => {}
                    }
                }
                let value = if matches!(kind, ByteMap) {
                    encode(value)
                } else {
                    text(value)?
                };
                let map = object
                    .entry((*name).to_owned())
                    .or_insert_with(|| json!({}));
                map[key] = value.into();
            }
            (Message(fields), Wire::Bytes(bytes)) => {
                object.insert((*name).to_owned(), message(fields, bytes)?);
            }
            (Messages(fields), Wire::Bytes(bytes)) => {
                let item = message(fields, bytes)?;
                push(&mut object, name, item);
            }
            _ => return Err(Unread::Broken),
        }
    }
    Ok(Value::Object(object))
}

fn push(object: &mut Map<String, Value>, name: &str, item: Value) {
    let list = object.entry(name.to_owned()).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.push(item);
    }
}

fn text(bytes: &[u8]) -> Result<String, Unread> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Unread::Broken)
}

enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Returns the fields of a message, in order.
fn parse(mut rest: &[u8]) -> Result<Vec<(u64, Wire<'_>)>, Unread> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let wire = match tag & 7 {
            0 => Wire::Number(varint(&mut rest)?),
            1 => Wire::Bytes(take(&mut rest, 8)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).map_err(|_| Unread::Broken)?;
                Wire::Bytes(take(&mut rest, length)?)
            }
            5 => Wire::Bytes(take(&mut rest, 4)?),
            _ => return Err(Unread::Broken),
        };
        fields.push((tag >> 3, wire));
    }
    Ok(fields)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Unread> {
    let (taken, left) = rest.split_at_checked(length).ok_or(Unread::Broken)?;
    *rest = left;
    Ok(taken)
}

fn varint(rest: &mut &[u8]) -> Result<u64, Unread> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Unread::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut all = vec![number << 3 | 2, u8::try_from(bytes.len()).expect("short")];
        all.extend_from_slice(bytes);
        all
    }

    fn envelope(kind: &str, raw: &[u8]) -> Vec<u8> {
        let types = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [b"k8s\0".to_vec(), field(1, &types), field(2, raw)].concat()
    }

    #[test]
    fn a_secret_is_read() {
        let entry = [field(1, b"k"), field(2, b"\xff\x00")].concat();
        let meta = [field(1, b"s"), field(3, b"")].concat();
        let raw = [
            field(1, &meta),
            field(2, &entry),
            field(3, b"Opaque"),
            vec![5 << 3, 1],
        ]
        .concat();
        assert_eq!(
            read(&envelope("Secret", &raw)),
            Ok(json!({
                "metadata": { "name": "s" }, "data": { "k": "/wA=" }, "type": "Opaque",
                "immutable": true, "kind": "Secret", "apiVersion": "v1",
            }))
        );
    }

    #[test]
    fn broken_bodies_are_errors() {
        assert_eq!(read(&envelope("Pod", b"")), Err(Unread::Kind));
        assert_eq!(read(b"{}"), Err(Unread::Broken));
        let good = envelope("ServiceAccount", &field(1, &field(1, b"name")));
        for end in 4..good.len() {
            // A truncated message is an error or another message, but never a panic.
            let _ = read(&good[..end]);
            let mut bent = good.clone();
            bent[end] ^= 0xff;
            let _ = read(&bent);
        }
    }
}
