//! Request bodies: JSON or YAML, checked against the kind's schema like the server's decoder does.

use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;

use super::protobuf::{self, Unread};
use crate::kinds::Kind;
use crate::openapi;
use crate::status::ApiError;

/// The maximum size of a body, in bytes (the API server's own limit).
pub(crate) const LIMIT: usize = 3 << 20;

/// Reads a body if there is one.
pub(crate) fn read_some(headers: &HeaderMap, bytes: &[u8]) -> Result<Option<Value>, ApiError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    read(headers, bytes).map(Some)
}

/// Reads a body by its content type.
pub(crate) fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, ApiError> {
    let media = content_type(headers);
    match media.as_str() {
        ""
        | "application/json"
        | "application/json-patch+json"
        | "application/merge-patch+json"
        | "application/strategic-merge-patch+json" => {
            serde_json::from_slice(bytes).map_err(|error| {
                ApiError::bad_request(format!(
                    "the object provided is unrecognized (must be of type JSON): {error}"
                ))
            })
        }
        "application/yaml" | "application/apply-patch+yaml" => yaml(bytes),
        "application/vnd.kubernetes.protobuf" => match protobuf::read(bytes) {
            Ok(object) => Ok(object),
            Err(Unread::Kind) => Err(unsupported(&media)),
            Err(Unread::Broken) => Err(ApiError::bad_request(
                "the body is not an object in Kubernetes' protobuf",
            )),
        },
        other => Err(unsupported(other)),
    }
}

fn unsupported(media: &str) -> ApiError {
    ApiError::unsupported_media(media, &["application/json", "application/yaml"])
}

pub(crate) fn content_type(headers: &HeaderMap) -> String {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

fn yaml(bytes: &[u8]) -> Result<Value, ApiError> {
    // Clients also send JSON under the YAML type, and it is faster to parse.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| ApiError::bad_request("error decoding YAML: it is not UTF-8"))?;
    serde_saphyr::from_str(text)
        .map_err(|error| ApiError::bad_request(format!("error decoding YAML: {error}")))
}

/// The handling of fields that the kind does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    Ignore,
    Warn,
    Strict,
}

impl Strictness {
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, ApiError> {
        match text {
            Some("Ignore") => Ok(Self::Ignore),
            None | Some("" | "Warn") => Ok(Self::Warn),
            Some("Strict") => Ok(Self::Strict),
            Some(other) => Err(ApiError::bad_request(format!(
                "fieldValidation: Unsupported value: {other:?}: supported values: \"Ignore\", \
                 \"Strict\", \"Warn\""
            ))),
        }
    }
}

/// Checks an object's types, and drops nulls and unknown fields; returns warnings.
pub(crate) fn check(
    kind: &Kind,
    object: &mut Value,
    strictness: Strictness,
) -> Result<Vec<HeaderValue>, ApiError> {
    let prefix = format!(
        "{} in version \"{}\" cannot be handled as a {}",
        kind.kind, kind.version, kind.kind
    );
    let of = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
    let (got_kind, got_version) = (of("kind"), of("apiVersion"));
    if (!got_kind.is_empty() && got_kind != kind.kind)
        || (!got_version.is_empty() && got_version != kind.api_version())
    {
        return Err(ApiError::bad_request(format!(
            "the API version in the data ({got_version}, {got_kind}) does not match the expected \
             API version ({}, {})",
            kind.api_version(),
            kind.kind
        )));
    }
    if !object.is_object() {
        return Err(ApiError::bad_request(format!(
            "{prefix}: it is not an object"
        )));
    }
    object["apiVersion"] = kind.api_version().into();
    object["kind"] = kind.kind.into();
    let mut walk = Walk {
        kind,
        unknown: Vec::new(),
    };
    if let Some(schema) = openapi::schema_of(kind) {
        walk.value(schema, object, "").map_err(|error| {
            ApiError::bad_request(format!("{prefix}: json: cannot unmarshal {error}"))
        })?;
    }
    if walk.unknown.is_empty() || strictness == Strictness::Ignore {
        return Ok(Vec::new());
    }
    let texts: Vec<String> = walk
        .unknown
        .iter()
        .map(|field| format!("unknown field \"{field}\""))
        .collect();
    if strictness == Strictness::Strict {
        return Err(ApiError::bad_request(format!(
            "{prefix}: strict decoding error: {}",
            texts.join(", ")
        )));
    }
    Ok(texts
        .iter()
        .filter_map(|t| {
            HeaderValue::from_str(&format!("299 - \"{}\"", t.replace('"', "\\\""))).ok()
        })
        .collect())
}

/// Returns the first field of an object that its kind does not have.
pub(crate) fn undeclared(kind: &Kind, object: &Value) -> Option<String> {
    let mut walk = Walk {
        kind,
        unknown: Vec::new(),
    };
    let schema = openapi::schema_of(kind)?;
    walk.value(schema, &mut object.clone(), "").ok()?;
    walk.unknown.into_iter().next()
}

struct Walk<'a> {
    kind: &'a Kind,
    unknown: Vec<String>,
}

impl Walk<'_> {
    fn value(&mut self, schema: &Value, value: &mut Value, at: &str) -> Result<(), String> {
        let reference = schema["$ref"]
            .as_str()
            .or_else(|| schema["allOf"][0]["$ref"].as_str());
        if let Some(reference) = reference {
            if reference.ends_with(".Quantity") {
                if value.is_number() {
                    *value = value.to_string().into();
                }
            } else if reference.ends_with(".IntOrString") {
                return Ok(());
            }
            return match openapi::definition(self.kind, reference) {
                Some(schema) => self.value(schema, value, at),
                None => Ok(()),
            };
        }
        let wanted = schema["type"].as_str().unwrap_or_default();
        let fits = match (wanted, &*value) {
            ("object", Value::Object(_))
            | ("array", Value::Array(_))
            | ("string", Value::String(_))
            | ("boolean", Value::Bool(_))
            | ("number", Value::Number(_))
            | ("", _) => true,
            ("integer", Value::Number(n)) => n.is_i64() || n.is_u64(),
            _ => false,
        };
        if !fits {
            let got = match value {
                Value::Object(_) => "object",
                Value::Array(_) => "array",
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                Value::Number(_) => "number",
                Value::Null => "null",
            };
            return Err(format!(
                "{got} into Go struct field {}.{} of type {}",
                self.kind.kind,
                at.trim_start_matches('.'),
                if wanted == "integer" { "int32" } else { wanted }
            ));
        }
        match value {
            Value::Object(map) => self.object(schema, map, at),
            Value::Array(items) => {
                for (n, item) in items.iter_mut().enumerate() {
                    self.value(&schema["items"], item, &format!("{at}[{n}]"))?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn object(
        &mut self,
        schema: &Value,
        map: &mut serde_json::Map<String, Value>,
        at: &str,
    ) -> Result<(), String> {
        map.retain(|_, value| !value.is_null());
        let rest = &schema["additionalProperties"];
        let Some(properties) = schema["properties"].as_object() else {
            if rest.is_object() {
                // The server's decoder names the field of a map, not the key.
                for value in map.values_mut() {
                    self.value(rest, value, at)?;
                }
            }
            return Ok(());
        };
        let mut unknown = Vec::new();
        for (key, value) in &mut *map {
            match properties.get(key) {
                Some(schema) => self.value(schema, value, &format!("{at}.{key}"))?,
                None => unknown.push(key.clone()),
            }
        }
        for key in unknown {
            map.shift_remove(&key);
            self.unknown
                .push(format!("{at}.{key}").trim_start_matches('.').to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::core_kind;
    use serde_json::json;

    #[test]
    fn unknown_fields_and_wrong_types() {
        let pods = core_kind("pods");
        let pod = json!({ "metadata": { "name": "a" }, "spec": {
            "colour": 1, "containers": [{ "name": "c", "imagee": "x",
                "resources": { "limits": { "cpu": 1 } }, "env": null }] } });
        let error = check(pods, &mut pod.clone(), Strictness::Strict).expect_err("strict");
        assert_eq!(
            error.to_string(),
            "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: \
             unknown field \"spec.containers[0].imagee\", unknown field \"spec.colour\""
        );
        let mut pruned = pod.clone();
        let warnings = check(pods, &mut pruned, Strictness::Warn).expect("pruned");
        assert_eq!(warnings.len(), 2);
        assert_eq!(
            pruned["spec"],
            json!({ "containers": [{ "name": "c", "resources": { "limits": { "cpu": "1" } } }] })
        );
        let mut wrong = json!({ "spec": { "containers": "x" } });
        let error = check(pods, &mut wrong, Strictness::Ignore)
            .expect_err("types")
            .to_string();
        assert!(error.ends_with(
            "json: cannot unmarshal string into Go struct field Pod.spec.containers of type array"
        ), "{error}");
        let mut other = json!({ "kind": "Secret", "apiVersion": "v1" });
        assert!(check(pods, &mut other, Strictness::Ignore).is_err());
    }

    #[test]
    fn bodies_are_bounded_in_kind() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/yaml"),
        );
        assert_eq!(
            read(&headers, b"a:\n  b: [1]\n").expect("yaml"),
            json!({ "a": { "b": [1] } })
        );
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/vnd.kubernetes.protobuf"),
        );
        assert_eq!(read(&headers, b"").expect_err("no message").code(), 400);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert_eq!(read(&headers, b"").expect_err("unknown").code(), 415);
    }
}
