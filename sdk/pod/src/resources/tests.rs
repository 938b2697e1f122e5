use sidestep::serde_json::{from_value, json};

use super::*;

fn amounts(inputs: &Value) -> Resources {
    fn amount<T: sidestep::serde::de::DeserializeOwned>(value: &Value) -> T {
        from_value(value.clone()).expect("an amount")
    }
    Resources {
        cpu: amount(&inputs["cpu"]),
        memory: amount(&inputs["memory"]),
        ephemeral_storage: amount(&inputs["ephemeralStorage"]),
    }
}

#[test]
fn one_quantity_is_request_and_limit() {
    let amounts = amounts(&json!({ "cpu": 2, "memory": "2Gi" }));
    assert_eq!(
        resources(amounts),
        json!({
            "requests": { "cpu": "2", "memory": "2Gi" },
            "limits": { "cpu": "2", "memory": "2Gi" },
        })
    );
}

#[test]
fn request_and_limit_are_each_what_they_are_given() {
    let amounts = amounts(&json!({
        "cpu": { "request": "500m" },
        "memory": { "request": "1Gi", "limit": "4Gi" },
        "ephemeralStorage": { "limit": "20Gi" },
    }));
    assert_eq!(
        resources(amounts),
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
    let amounts = amounts(&json!({
        "cpu": { "request": 2, "limit": "1500m" },
        "memory": { "request": "1Gi", "limit": "1024Mi" },
        "ephemeralStorage": null,
    }));
    let found = amounts.problems("kaniko.resources");
    let messages: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(messages, ["`cpu` requests 2, more than its limit of 1500m"]);
}
