//! The report of a failure to the plugin that made the pod: the container's termination message.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;

use crate::{Error, Places};

/// The file that the kubelet reads (Kubernetes, `terminationMessagePath`).
const FILE: &str = "/dev/termination-log";
/// The longest text in it, in bytes. The kubelet keeps 4,096 bytes, and JSON may need six for one.
const LONGEST: usize = 600;

/// Writes a command's failure to the container's termination message. Outside of a container there
/// is no such file, and nothing is written.
pub fn report(places: &Places, error: &Error) {
    let message = &error.message[..error.message.floor_char_boundary(LONGEST)];
    let report = json!({ "reason": error.reason.name(), "message": message });
    let Ok(path) = places.local(Path::new(FILE)) else {
        return;
    };
    // The log has the failure as well, so that nothing depends on this file.
    if let Ok(mut file) = OpenOptions::new().write(true).truncate(true).open(path) {
        let _ = file.write_all(report.to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    #[test]
    fn a_failure_is_reported_within_what_the_kubelet_keeps() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mounts = json!({ FILE: file.path() }).to_string();
        let places = Places::of(Some(&mounts)).expect("a map");
        let error = Error::new(Reason::Denied, "\u{1}".repeat(9000));
        report(&places, &error);
        let text = std::fs::read_to_string(file.path()).expect("a text");
        assert!(text.len() < 4096, "{}", text.len());
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["reason"], "denied");
    }
}
