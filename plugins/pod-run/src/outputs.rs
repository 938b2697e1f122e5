//! The outputs that the command wrote, checked against their declarations.

use std::collections::BTreeMap;

use sidestep::serde_json::{self, Map, Value};
use sidestep::{Error, Result, codes};

use crate::inputs::{Output, Type};
use crate::pod::OUTPUTS;

/// The most bytes of a termination message: the kubelet keeps the last ones of the file
/// (Kubernetes, "Customizing the termination message").
const MOST: usize = 4096;
/// The most bytes of all termination messages of a pod, which the kubelet divides equally among its
/// containers; of each it keeps the first ones (`normalizeStatus` in its status manager).
const MOST_OF_POD: usize = 12 * 1024;

/// Returns the most bytes of a termination message in this pod.
pub(crate) fn most(pod: &Value) -> usize {
    let lists = ["containers", "initContainers"];
    let lists = lists.iter().filter_map(|list| pod["spec"][list].as_array());
    let containers: usize = lists.map(Vec::len).sum();
    MOST.min(MOST_OF_POD / containers.max(1))
}

/// Reads the outputs from the termination message. An optional one that was not written is null.
pub(crate) fn read(
    written: &str,
    declared: &BTreeMap<String, Output>,
    most: usize,
) -> Result<BTreeMap<String, Value>> {
    if declared.is_empty() {
        // Programs write messages of their own.
        return Ok(BTreeMap::new());
    }
    let found = object(written, most)?;
    if let Some(unknown) = found.keys().find(|name| !declared.contains_key(*name)) {
        let names: Vec<&str> = declared.keys().map(String::as_str).collect();
        return Err(wrong(format!("`outputs` does not declare `{unknown}`"))
            .help(format!("declare it, or write only {}", names.join(", "))));
    }
    let mut values = BTreeMap::new();
    for (name, output) in declared {
        let value = found.get(name).cloned().unwrap_or(Value::Null);
        check(name, &value, output)?;
        values.insert(name.clone(), value);
    }
    Ok(values)
}

fn object(written: &str, most: usize) -> Result<Map<String, Value>> {
    let text = written.trim();
    if text.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        _ if written.len() >= most => Err(Error::failed(
            codes::pod::OUTPUTS_TOO_LARGE,
            format!(
                "the command's outputs have {} bytes or more; the limit is {most}",
                written.len()
            ),
        )
        .help("write large results to a bucket, and output their address")
        .help(format!("the limit is {MOST} bytes, and less in a pod of more than three containers, which share {MOST_OF_POD} bytes"))),
        Ok(other) => Err(wrong(format!(
            "they are {}, not a JSON object",
            Type::name_of(&other)
        ))),
        Err(error) => Err(wrong(format!("they are not valid JSON: {error}"))),
    }
}

fn check(name: &str, value: &Value, output: &Output) -> Result<()> {
    if value.is_null() {
        if output.optional {
            return Ok(());
        }
        return Err(wrong(format!("`{name}` is missing")).help(format!(
            "write it, or declare it as `{name}: {{ type: …, optional: true }}`"
        )));
    }
    if !output.kind.fits(value) {
        return Err(wrong(format!(
            "`{name}` is {}, and {} is declared",
            Type::name_of(value),
            output.kind
        )));
    }
    if !output.allowed.is_empty() && !output.allowed.contains(value) {
        let allowed: Vec<String> = output.allowed.iter().map(Value::to_string).collect();
        return Err(wrong(format!(
            "`{name}` is {value}, and only {} are declared",
            allowed.join(", ")
        )));
    }
    Ok(())
}

fn wrong(why: String) -> Error {
    Error::failed(
        codes::pod::OUTPUTS_WRONG,
        format!("the outputs that the command wrote are not those that the step declares: {why}"),
    )
    .help(format!(
        "write one JSON object, for example: printf '{{\"NAME\":\"%s\"}}' \"$VALUE\" > \"${OUTPUTS}\""
    ))
}

#[cfg(test)]
mod tests {
    use sidestep::serde_json::{from_value, json};

    use super::*;

    fn declared() -> BTreeMap<String, Output> {
        from_value(json!({
            "version": { "type": "string" },
            "count": { "type": "integer", "optional": true },
            "level": { "type": "string", "enum": ["low", "high"], "optional": true },
        }))
        .expect("declarations")
    }

    fn failure(written: &str) -> (String, String) {
        let error = read(written, &declared(), MOST).expect_err("it is wrong");
        (error.code, error.message)
    }

    #[test]
    fn declared_outputs_are_read_and_optional_ones_may_be_absent() {
        let values = read("{\"version\": \"1.2\"}\n", &declared(), MOST).expect("it is right");
        assert_eq!(values["version"], "1.2");
        assert_eq!(values["count"], Value::Null);
        let none = read("any text", &BTreeMap::new(), MOST).expect("nothing is declared");
        assert!(none.is_empty());
    }

    #[test]
    fn each_mistake_is_named() {
        for (written, part) in [
            ("", "`version` is missing"),
            ("[1]", "they are an array, not a JSON object"),
            (
                "{\"version\": 1}",
                "`version` is a number, and a string is declared",
            ),
            (
                "{\"version\": \"1\", \"count\": 1.5}",
                "an integer is declared",
            ),
            (
                "{\"version\": \"1\", \"level\": \"mid\"}",
                "only \"low\", \"high\" are declared",
            ),
            (
                "{\"version\": \"1\", \"other\": 1}",
                "does not declare `other`",
            ),
            ("version=1", "not valid JSON"),
        ] {
            let (code, message) = failure(written);
            assert_eq!(code, "pod.outputs-wrong", "{written}");
            assert!(message.contains(part), "{written}: {message}");
        }
    }

    #[test]
    fn outputs_that_the_kubelet_cut_are_too_large_and_full_ones_are_not() {
        let full = format!("{{\"version\":\"{}\"}}", "x".repeat(MOST - 14));
        assert_eq!(full.len(), MOST);
        assert!(read(&full, &declared(), MOST).is_ok());
        let longer = format!("{{\"version\":\"{}\"}}", "x".repeat(MOST));
        let cut = &longer[longer.len() - MOST..];
        let (code, message) = failure(cut);
        assert_eq!(code, "pod.outputs-too-large");
        assert!(message.contains("4096 bytes or more"), "{message}");
    }

    #[test]
    fn beside_other_containers_less_fits() {
        let pod = |containers: usize, init: usize| {
            let list = |count: usize| vec![json!({}); count];
            let spec = json!({ "containers": list(containers), "initContainers": list(init) });
            most(&json!({ "spec": spec }))
        };
        assert_eq!((pod(1, 0), pod(1, 2)), (4096, 4096));
        assert_eq!((pod(1, 3), pod(2, 4)), (3072, 2048));
        assert_eq!(most(&json!({})), 4096);
        let long = format!("{{\"version\":\"{}\"}}", "x".repeat(3500));
        assert!(read(&long, &declared(), pod(1, 2)).is_ok());
        let error = read(&long[..3072], &declared(), pod(1, 3)).expect_err("it was cut");
        assert_eq!(error.code, "pod.outputs-too-large");
        assert!(error.message.ends_with("the limit is 3072"), "{error}");
    }
}
