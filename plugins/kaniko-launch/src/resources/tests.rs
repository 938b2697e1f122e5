use sidestep::serde_json::{from_value, json};

use super::*;
use crate::inputs::example;

#[test]
fn one_quantity_is_request_and_limit() {
    let inputs = example(&json!({ "cpu": 2, "memory": "2Gi" }));
    assert_eq!(
        resources(&inputs),
        json!({
            "requests": { "cpu": "2", "memory": "2Gi" },
            "limits": { "cpu": "2", "memory": "2Gi" },
        })
    );
}

#[test]
fn request_and_limit_are_each_what_they_are_given() {
    let inputs = example(&json!({
        "cpu": { "request": "500m" },
        "memory": { "request": "1Gi", "limit": "4Gi" },
        "ephemeralStorage": { "limit": "20Gi" },
    }));
    assert_eq!(
        resources(&inputs),
        json!({
            "requests": { "cpu": "500m", "memory": "1Gi" },
            "limits": { "memory": "4Gi", "ephemeral-storage": "20Gi" },
        })
    );
}

#[test]
fn amounts_say_what_they_take() {
    let wrong = |memory: Value| {
        let amount: Result<Amount<ByteSize>, _> = from_value(memory);
        amount.expect_err("wrong").to_string()
    };
    assert!(wrong(json!({ "requests": "1Gi" })).contains("unknown field `requests`"));
    assert!(wrong(json!("2GB")).contains("512Mi, 16Gi or 5G"));
}

#[test]
fn a_request_above_its_limit_is_found_before_the_run() {
    let known = |more: Value| -> Known { from_value(more).expect("known inputs") };
    let found = problems(&known(json!({
        "cpu": { "request": 2, "limit": "1500m" },
        "memory": { "request": "1Gi", "limit": "1024Mi" },
        "ephemeralStorage": null,
    })));
    let messages: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(messages, ["`cpu` requests 2, more than its limit of 1500m"]);
}
