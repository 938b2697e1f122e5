//! Service Account Credentials, `iamcredentials.googleapis.com/v1`: impersonation.
//!
//! Reference: <https://cloud.google.com/iam/docs/reference/credentials/rest>.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sidestep_sandbox_identity::{Access as _, Account, Caller, LIFETIME, Resource, Token};

use crate::api::Api;
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};
use crate::guard::needs_service;
use crate::id_tokens;

pub(crate) fn handle(cloud: &Cloud, call: &Call) -> Answer {
    let (method, path, verb) = call.route();
    let ("POST", ["v1", "projects", project, "serviceAccounts", account]) =
        (method, path.as_slice())
    else {
        return Err(call.unserved());
    };
    if *project != "-" {
        return Err(ApiError::invalid(format!(
            "Invalid resource name: the project must be \"-\", not {project:?}."
        )));
    }
    match verb {
        "generateAccessToken" => {
            let scopes = call
                .body
                .get("scope")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            if scopes == 0 {
                return Err(ApiError::invalid("Scope required."));
            }
            let lifetime = lifetime(call.text("/lifetime"))?;
            let token = impersonate(cloud, &call.caller, account, lifetime)?;
            Ok(json!({ "accessToken": token.secret, "expireTime": to_second(&token) }))
        }
        "generateIdToken" => {
            let email = call.body.get("includeEmail") == Some(&Value::Bool(true));
            let audience = call.text("/audience").unwrap_or_default();
            Ok(json!({ "token": id_token(cloud, &call.caller, account, audience, email)? }))
        }
        _ => Err(call.unserved()),
    }
}

/// Issues an account's access token to a caller with permission.
pub(crate) fn impersonate(
    cloud: &Cloud,
    caller: &Caller,
    account: &str,
    lifetime: SignedDuration,
) -> Result<Token, ApiError> {
    let account = judge(cloud, caller, account, "iam.serviceAccounts.getAccessToken")?;
    Ok(cloud
        .identity()
        .mint_for(&format!("serviceAccount:{}", account.email), lifetime))
}

/// Issues an account's id token to a caller with permission.
pub(crate) fn id_token(
    cloud: &Cloud,
    caller: &Caller,
    account: &str,
    audience: &str,
    email: bool,
) -> Result<String, ApiError> {
    let account = judge(cloud, caller, account, "iam.serviceAccounts.getOpenIdToken")?;
    id_tokens::issue(cloud, &account, audience, email)
}

/// Returns the account, if the caller may impersonate it. The errors are Google's own: every caller
/// learns that an account is missing (404), but a missing binding looks like a disabled account.
fn judge(
    cloud: &Cloud,
    caller: &Caller,
    account: &str,
    permission: &str,
) -> Result<Account, ApiError> {
    let identity = cloud.identity();
    let found = identity.account(account);
    let consumer = consumer(cloud, caller).or_else(|| found.as_ref().map(|a| a.project.clone()));
    if let Some(project) = consumer {
        needs_service(cloud, &project, Api::IamCredentials.host())?;
    }
    let Some(account) = found else {
        return Err(ApiError::not_found(format!(
            "Not found; Gaia id not found for email {account}"
        )));
    };
    let resource = Resource::ServiceAccount {
        project: account.project.clone(),
        email: account.email.clone(),
    };
    if account.disabled || !identity.allows(caller, permission, &resource) {
        return Err(ApiError::denied(
            format!("Permission '{permission}' denied on resource (or it may not exist)."),
            "iam.googleapis.com",
            permission,
            &resource.name(),
        ));
    }
    Ok(account)
}

/// Returns the project that a call counts towards: that of the workload or of the service account.
/// A user has none.
fn consumer(cloud: &Cloud, caller: &Caller) -> Option<String> {
    let Caller::Member(member) = caller else {
        return None;
    };
    if let Some(email) = member.strip_prefix("serviceAccount:") {
        return cloud.identity().account(email).map(|a| a.project);
    }
    let number = member.split("/projects/").nth(1)?.split('/').next()?;
    cloud.identity().project(number).map(|(id, _)| id)
}

fn lifetime(text: Option<&str>) -> Result<SignedDuration, ApiError> {
    let Some(text) = text else {
        return Ok(LIFETIME);
    };
    let seconds = text.strip_suffix('s').and_then(|t| t.parse::<f64>().ok());
    match seconds.and_then(|s| SignedDuration::try_from_secs_f64(s).ok()) {
        Some(lifetime) if lifetime > SignedDuration::ZERO && lifetime <= LIFETIME => Ok(lifetime),
        Some(_) => Err(ApiError::invalid(
            "The lifetime must be at most 3600s (1 hour) unless an organization policy allows more.",
        )),
        None => Err(ApiError::invalid(format!(
            "Invalid value at 'lifetime': {text:?}"
        ))),
    }
}

/// Returns a token's expiry to the second, in the API's format.
fn to_second(token: &Token) -> String {
    jiff::Timestamp::from_second(token.expires.as_second())
        .unwrap_or(token.expires)
        .to_string()
}
