use std::collections::HashMap;
use std::sync::Arc;

use cel::Value as Cel;
use cel::objects::Key;
use serde_json::{Map, Number, Value};

/// Converts JSON to a CEL value: whole numbers become `int`.
pub(crate) fn to_cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Cel::Int(whole),
            (None, Some(whole)) => Cel::UInt(whole),
            (None, None) => Cel::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => Cel::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(map) => {
            let map: HashMap<Key, Cel> = map
                .iter()
                .map(|(key, value)| (Key::from(key.clone()), to_cel(value)))
                .collect();
            Cel::from(map)
        }
    }
}

/// Converts an expression's result to JSON. Map keys are in alphabetical order. An error names the
/// type that has no JSON form.
pub(crate) fn to_json(value: &Cel) -> Result<Value, String> {
    Ok(match value {
        Cel::Null => Value::Null,
        Cel::Bool(value) => Value::Bool(*value),
        Cel::Int(whole) => Value::from(*whole),
        Cel::UInt(whole) => Value::from(*whole),
        Cel::Float(float) => Number::from_f64(*float)
            .map(Value::Number)
            .ok_or("a number that is not finite")?,
        Cel::String(text) => Value::String(text.to_string()),
        Cel::List(items) => Value::Array(items.iter().map(to_json).collect::<Result<_, _>>()?),
        Cel::Map(map) => {
            let mut entries: Vec<(String, &Cel)> = map
                .map
                .iter()
                .map(|(key, value)| match key {
                    Key::String(key) => Ok((key.to_string(), value)),
                    _ => Err("a map whose keys are not strings".to_owned()),
                })
                .collect::<Result<_, _>>()?;
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key, to_json(value)?);
            }
            Value::Object(map)
        }
        other => return Err(format!("a value of type {}", other.type_of())),
    })
}
