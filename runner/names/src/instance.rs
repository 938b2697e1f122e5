use serde_json::{Map, Value};

/// Returns the id of a step instance: `build`, or `build[arch=amd64,release=true]`.
///
/// A text that could be read as another type, or that has characters other than letters, digits and
/// `._/:@+-`, is quoted as in JSON: `build[go="1.22"]`. So no two matrices give one step the same
/// id.
pub fn instance_id(step: &str, matrix: &Map<String, Value>) -> String {
    if matrix.is_empty() {
        return step.to_owned();
    }
    let parts: Vec<String> = matrix
        .iter()
        .map(|(key, value)| match value {
            Value::String(value) => format!("{}={}", text(key), text(value)),
            value => format!("{}={value}", text(key)),
        })
        .collect();
    format!("{step}[{}]", parts.join(","))
}

/// Returns a text unchanged, or quoted if it could be read as something else.
fn text(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._/:@+-".contains(&b);
    let is_plain =
        !text.is_empty() && text.bytes().all(plain) && serde_json::from_str::<Value>(text).is_err();
    if is_plain {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn id(matrix: Value) -> String {
        let Value::Object(matrix) = matrix else {
            panic!("a map")
        };
        instance_id("build", &matrix)
    }

    #[test]
    fn plain_values_stand_as_they_are() {
        for (matrix, expected) in [
            (json!({}), "build"),
            (json!({"arch": "amd64"}), "build[arch=amd64]"),
            (json!({"n": 1, "up": true}), "build[n=1,up=true]"),
            (
                json!({"image": "debian:13-slim"}),
                "build[image=debian:13-slim]",
            ),
            (json!({"path": "apps/api"}), "build[path=apps/api]"),
        ] {
            assert_eq!(id(matrix), expected);
        }
    }

    #[test]
    fn what_reads_as_another_type_or_a_separator_is_quoted() {
        for (matrix, expected) in [
            (json!({"n": "1"}), r#"build[n="1"]"#),
            (json!({"n": "true"}), r#"build[n="true"]"#),
            (json!({"n": "null"}), r#"build[n="null"]"#),
            (json!({"n": "1e3"}), r#"build[n="1e3"]"#),
            (json!({"n": ""}), r#"build[n=""]"#),
            (json!({"a": "1,b=2", "b": "3"}), r#"build[a="1,b=2",b="3"]"#),
            (json!({"a": "1", "b": "2,b=3"}), r#"build[a="1",b="2,b=3"]"#),
            (json!({"a": "x]"}), r#"build[a="x]"]"#),
        ] {
            assert_eq!(id(matrix), expected);
        }
    }

    /// Reads one quoted or plain text from the beginning.
    fn read(text: &str) -> (Value, &str) {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        if text.starts_with('"') {
            let value = values.next().expect("a text").expect("closed");
            return (value, &text[values.byte_offset()..]);
        }
        let end = text.find(['=', ',', ']']).expect("an end");
        let value = serde_json::from_str(&text[..end]).unwrap_or_else(|_| json!(text[..end]));
        (value, &text[end..])
    }

    fn read_matrix(id: &str) -> Map<String, Value> {
        let mut matrix = Map::new();
        let mut rest = id.strip_prefix("build").expect("the step");
        while rest != "]" && !rest.is_empty() {
            let (key, after) = read(&rest[1..]);
            let (value, after) = read(after.strip_prefix('=').expect("a value"));
            matrix.insert(key.as_str().expect("a key").to_owned(), value);
            rest = after;
        }
        matrix
    }

    proptest! {
        /// The matrix can be parsed from the id, so no two matrices share one.
        #[test]
        fn the_matrix_can_be_read_back(
            matrix in prop::collection::btree_map(
                "[a-z_][a-z0-9_-]{0,3}|[\\[\\]=,\"\\\\ 1]{0,3}",
                prop_oneof![
                    any::<bool>().prop_map(Value::from),
                    (-20_i64..20).prop_map(Value::from),
                    (-20_i32..20).prop_map(|number| json!(f64::from(number) / 4.0)),
                    "[12,=ab\\[\\]\"\\\\é \\.e-]{0,6}|true|false|null".prop_map(Value::from),
                ],
                0..4,
            ),
        ) {
            let matrix: Map<String, Value> = matrix.into_iter().collect();
            prop_assert_eq!(read_matrix(&instance_id("build", &matrix)), matrix);
        }
    }
}
