//! Fuzz targets for the answers of Google's APIs.

/// A target: its name, the reader, and the seed inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The targets of this crate.
pub const TARGETS: [Target; 1] = [("capabilities-google-answer", google_answer, google_answers)];

/// Reads an error answer of one of Google's APIs.
fn google_answer(bytes: &[u8]) {
    for status in [400, 401, 403, 404, 409, 412, 429, 500] {
        let failure = crate::of_api_error("look", status, bytes);
        assert!(!failure.message.is_empty());
        assert!(
            failure
                .code
                .exact()
                .bytes()
                .all(|byte| byte.is_ascii_graphic())
        );
    }
}

fn google_answers() -> Vec<Vec<u8>> {
    [
        r#"{"error":{"code":403,"message":"Permission denied","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED","domain":"googleapis.com","metadata":{"service":"iam.googleapis.com","consumer":"projects/1"}}]}}"#,
        r#"{"error":"invalid_target","error_description":"The target service indicated is invalid."}"#,
        r#"{"error":{"code":404,"errors":[{"reason":"notFound","message":"m"}]}}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
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
