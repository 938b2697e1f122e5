//! Fuzz targets for the API server's answers.

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::WatchEvent;
use kube::core::{ObjectList, Status};

use super::failure::of_status;
use super::follow;

/// A target: its name, the reader, and the seed inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The targets of this crate.
pub const TARGETS: [Target; 2] = [
    ("capabilities-kubernetes-answer", answer, answers),
    ("capabilities-kubernetes-log", log, logs),
];

/// Reads an object, a list, an error answer, and each line as one of a watch.
fn answer(bytes: &[u8]) {
    if let Ok(pod) = serde_json::from_slice::<Pod>(bytes) {
        serde_json::to_value(&pod).expect("what was read can be written");
    }
    let _ = serde_json::from_slice::<ObjectList<Pod>>(bytes);
    let _ = serde_json::from_slice::<ObjectList<Event>>(bytes);
    if let Ok(status) = serde_json::from_slice::<Status>(bytes) {
        let failure = of_status("look", &status);
        assert!(!failure.code.is_empty());
    }
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(WatchEvent::Error(status)) = serde_json::from_slice::<WatchEvent<Pod>>(line) {
            let _ = of_status("watch", &status);
        }
    }
}

/// Splits a log into lines, in chunks of the size in the first byte.
fn log(bytes: &[u8]) {
    let Some((size, text)) = bytes.split_first() else {
        return;
    };
    let whole = follow::cut(text, text.len().max(1));
    let chunked = follow::cut(text, usize::from(*size).max(1));
    assert_eq!(whole, chunked, "chunks do not matter");
}

fn answers() -> Vec<Vec<u8>> {
    [
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"n","uid":"u","labels":{"a":"b"},"managedFields":[]},"spec":{"containers":[{"name":"c","image":"i"}],"restartPolicy":"Never"},"status":{"phase":"Failed","containerStatuses":[{"name":"c","image":"i","imageID":"","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}}"#,
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods is forbidden","reason":"Forbidden","details":{"kind":"pods","retryAfterSeconds":1},"code":403}"#,
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"p\"}}}\n{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"7\"}}}\n{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"too old\",\"reason\":\"Expired\",\"code\":410}}",
        r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1","continue":"x"},"items":[{"metadata":{"name":"p"}}]}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn logs() -> Vec<Vec<u8>> {
    vec![
        b"\x072026-11-24T04:30:27.123456789Z one\n2026-11-24T04:30:27Z two\r\nno stamp\n\n2026-11-24T04:30:28Z cut"
            .to_vec(),
        b"\xff2026-11-24T04:30:27.1+07:00 \xff\xfe\x1b[31mred\n2026-11-24T04:30:27.1Z".to_vec(),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn strangers_bytes_are_read_without_harm() {
        super::TARGETS
            .into_iter()
            .for_each(sidestep_mutations::check);
    }
}
