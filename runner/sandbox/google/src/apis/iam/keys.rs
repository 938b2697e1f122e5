//! Service-account keys: they can be listed and deleted. The sandbox makes none, since it is
//! there to show the way without.

use serde_json::{Value, json};

use super::accounts;
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};

pub(super) fn handle(
    cloud: &Cloud,
    call: &Call,
    project: &str,
    account: &str,
    rest: &[&str],
) -> Answer {
    let permission = match call.method.as_str() {
        "GET" if rest.is_empty() => "iam.serviceAccountKeys.list",
        "GET" => "iam.serviceAccountKeys.get",
        "DELETE" => "iam.serviceAccountKeys.delete",
        _ => return Err(call.unserved()),
    };
    let (account, resource) = accounts::find(cloud, call, project, account, permission)?;
    call.needs_api(cloud, &account.project)?;
    call.needs(cloud, permission, &resource)?;
    let prefix = format!(
        "projects/{}/serviceAccounts/{}/keys/",
        account.project, account.email
    );
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            let keys: Vec<Value> = cloud.read(|state| {
                let mine = state
                    .keys
                    .iter()
                    .filter(|(name, _)| name.starts_with(&prefix));
                mine.map(|(name, key)| shown(name, key)).collect()
            });
            Ok(if keys.is_empty() {
                json!({})
            } else {
                json!({ "keys": keys })
            })
        }
        ("GET", [id]) => {
            let name = format!("{prefix}{id}");
            cloud
                .read(|state| state.keys.get(&name).map(|key| shown(&name, key)))
                .ok_or_else(unknown)
        }
        ("DELETE", [id]) => {
            let name = format!("{prefix}{id}");
            cloud
                .write(|state| state.keys.remove(&name))
                .map(|_| json!({}))
                .ok_or_else(unknown)
        }
        _ => Err(call.unserved()),
    }
}

fn shown(name: &str, key: &Value) -> Value {
    let mut out = json!({
        "name": name, "keyType": "USER_MANAGED", "keyOrigin": "GOOGLE_PROVIDED",
        "keyAlgorithm": "KEY_ALG_RSA_2048",
    });
    for (field, value) in key.as_object().into_iter().flatten() {
        out[field] = value.clone();
    }
    out
}

fn unknown() -> ApiError {
    ApiError::not_found("Service account key does not exist.")
}
