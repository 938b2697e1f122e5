//! The sandbox user's credentials: Application Default Credentials that use the token exchange, so
//! that the real authentication path is exercised.

use std::path::Path;

use serde_json::{Value, json};

use crate::apis::sts::{DEVELOPER_AUDIENCE, SUBJECT_TOKEN_TYPE};

/// Returns an Application Default Credentials file (`external_account`) for a subject token that is
/// stored in a file
/// ([`Identity::mint_subject`](sidestep_sandbox_identity::Identity::mint_subject)). `sts` is the
/// base address of the sandbox's STS, such as `http://127.0.0.1:8080`.
pub fn developer_credentials(sts: &str, subject_token_file: &Path) -> Value {
    json!({
        "type": "external_account",
        "audience": DEVELOPER_AUDIENCE,
        "subject_token_type": SUBJECT_TOKEN_TYPE,
        "token_url": format!("{}/v1/token", sts.trim_end_matches('/')),
        "credential_source": {"file": subject_token_file},
    })
}
