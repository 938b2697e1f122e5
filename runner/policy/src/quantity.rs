//! Amounts in grants, policies and pods.

use serde_json::Value;
use sidestep_contract::units::Quantity;

/// Parses an amount from a JSON text or number; returns `None` if it is invalid or negative.
pub(crate) fn amount(value: &Value) -> Option<Quantity> {
    let quantity = match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    };
    quantity.filter(|quantity| !quantity.is_negative())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_are_texts_or_numbers_and_not_negative() {
        let shown = |value| amount(&value).map(|quantity| quantity.to_string());
        assert_eq!(shown(json!("16Gi")).as_deref(), Some("16Gi"));
        assert_eq!(shown(json!(2)).as_deref(), Some("2"));
        assert_eq!(shown(json!(0.5)).as_deref(), Some("0.5"));
        for value in [
            json!("-1"),
            json!(-1),
            json!("1gi"),
            json!(true),
            json!(null),
        ] {
            assert_eq!(shown(value.clone()), None, "{value}");
        }
    }
}
