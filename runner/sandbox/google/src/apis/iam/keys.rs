//! Service-account keys: `projects.serviceAccounts.keys`.
//!
//! The keys are real: the holder of a private key gets tokens from the sandbox's token endpoint
//! (`super::super::oauth`). The sandbox stores only the public key.
//!
//! Reference: <https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use sidestep_sandbox_identity::{Account, AccountKey};

use super::accounts;
use crate::call::Call;
use crate::cloud::{Cloud, random_hex};
use crate::error::{Answer, ApiError};

/// The maximum number of user-managed keys of an account (IAM's quota).
const MOST: usize = 10;

pub(super) fn handle(
    cloud: &Cloud,
    call: &Call,
    project: &str,
    account: &str,
    rest: &[&str],
) -> Answer {
    let permission = match (call.method.as_str(), rest, call.verb.as_deref()) {
        ("GET", [], None) => "iam.serviceAccountKeys.list",
        ("GET", [_], None) => "iam.serviceAccountKeys.get",
        ("POST", [], None) => "iam.serviceAccountKeys.create",
        ("POST", [_], Some("disable")) => "iam.serviceAccountKeys.disable",
        ("POST", [_], Some("enable")) => "iam.serviceAccountKeys.enable",
        ("DELETE", [_], None) => "iam.serviceAccountKeys.delete",
        _ => return Err(call.unserved()),
    };
    let (account, resource) = accounts::find(cloud, call, project, account, permission)?;
    call.needs_api(cloud, &account.project)?;
    call.needs(cloud, permission, &resource)?;
    let prefix = format!(
        "projects/{}/serviceAccounts/{}/keys/",
        account.project, account.email
    );
    let [id] = rest else {
        return if call.method == "POST" {
            create(cloud, call, &account, &prefix)
        } else {
            Ok(list(cloud, call, &prefix))
        };
    };
    let name = format!("{prefix}{id}");
    match (call.method.as_str(), call.verb.as_deref()) {
        ("GET", _) => get(cloud, call, &name, id),
        ("DELETE", _) => {
            cloud.identity().remove_key(id);
            cloud
                .write(|state| state.keys.remove(&name))
                .map(|_| json!({}))
                .ok_or_else(unknown)
        }
        (_, verb) => {
            let off = verb == Some("disable");
            cloud.identity().disable_key(id, off);
            let known = cloud.write(|state| {
                let key = state.keys.get_mut(&name)?;
                let key = key.as_object_mut()?;
                key.shift_remove("disabled");
                if off {
                    key.insert("disabled".to_owned(), json!(true));
                }
                Some(())
            });
            known.map(|()| json!({})).ok_or_else(unknown)
        }
    }
}

fn list(cloud: &Cloud, call: &Call, prefix: &str) -> Value {
    // Google's own keys, which Google rotates, are not modelled.
    let kinds: Vec<&str> = call.query.all("keyTypes").collect();
    if !kinds.is_empty() && !kinds.contains(&"USER_MANAGED") {
        return json!({});
    }
    let keys: Vec<Value> = cloud.read(|state| {
        let mine = state.keys.iter().filter(|(n, _)| n.starts_with(prefix));
        mine.map(|(name, key)| shown(name, key)).collect()
    });
    if keys.is_empty() {
        json!({})
    } else {
        json!({ "keys": keys })
    }
}

fn get(cloud: &Cloud, call: &Call, name: &str, id: &str) -> Answer {
    let mut key = cloud
        .read(|state| state.keys.get(name).map(|key| shown(name, key)))
        .ok_or_else(unknown)?;
    match call.query.get("publicKeyType").unwrap_or("TYPE_NONE") {
        "TYPE_NONE" => {}
        "TYPE_RAW_PUBLIC_KEY" => {
            if let Some(known) = cloud.identity().key(id) {
                key["publicKeyData"] = json!(STANDARD.encode(known.public_key));
            }
        }
        other => {
            return Err(ApiError::invalid(format!(
                "the sandbox returns public keys only as TYPE_RAW_PUBLIC_KEY, not as {other}"
            )));
        }
    }
    Ok(key)
}

fn create(cloud: &Cloud, call: &Call, account: &Account, prefix: &str) -> Answer {
    let or = |pointer: &str, default: &'static str| {
        let text = call.text(pointer).filter(|t| !t.ends_with("_UNSPECIFIED"));
        text.unwrap_or(default).to_owned()
    };
    if or("/privateKeyType", "TYPE_GOOGLE_CREDENTIALS_FILE") != "TYPE_GOOGLE_CREDENTIALS_FILE" {
        return Err(ApiError::invalid(
            "the sandbox creates keys only as TYPE_GOOGLE_CREDENTIALS_FILE (JSON)",
        ));
    }
    if or("/keyAlgorithm", "KEY_ALG_RSA_2048") != "KEY_ALG_RSA_2048" {
        return Err(ApiError::invalid(
            "the sandbox creates keys only with KEY_ALG_RSA_2048",
        ));
    }
    if account.disabled {
        return Err(ApiError::precondition("Service account is disabled."));
    }
    let have = cloud.read(|state| {
        let mine = state.keys.keys().filter(|name| name.starts_with(prefix));
        mine.count()
    });
    if have >= MOST {
        return Err(ApiError::exhausted(
            "Maximum number of keys on account reached.",
        ));
    }
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
        .map_err(|error| ApiError::internal(format!("the sandbox can't create a key: {error}")))?;
    // 40 hexadecimal digits, like Google's.
    let id: String = [random_hex(), random_hex(), random_hex()].concat();
    let id = &id[..40];
    let name = format!("{prefix}{id}");
    let key = AccountKey {
        account: account.unique_id.clone(),
        public_key: pair.public_key_pem(),
        disabled: false,
    };
    cloud.identity().add_key(id, key);
    let kept = json!({
        "validAfterTime": cloud.now_in_seconds(),
        "validBeforeTime": "9999-12-31T23:59:59Z",
    });
    cloud.write(|state| state.keys.insert(name.clone(), kept.clone()));
    let file = credentials(cloud, account, id, &pair);
    let mut answer = shown(&name, &kept);
    answer["privateKeyType"] = json!("TYPE_GOOGLE_CREDENTIALS_FILE");
    answer["privateKeyData"] = json!(STANDARD.encode(format!("{file:#}\n")));
    Ok(answer)
}

/// Returns the key file that users download, which Application Default Credentials call
/// `service_account`.
fn credentials(cloud: &Cloud, account: &Account, id: &str, pair: &KeyPair) -> Value {
    let email = &account.email;
    json!({
        "type": "service_account",
        "project_id": account.project,
        "private_key_id": id,
        "private_key": pair.serialize_pem(),
        "client_email": email,
        "client_id": account.unique_id,
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": cloud.token_uri(),
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_x509_cert_url": format!(
            "https://www.googleapis.com/robot/v1/metadata/x509/{}",
            email.replace('@', "%40"),
        ),
        "universe_domain": "googleapis.com",
    })
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
