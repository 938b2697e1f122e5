//! Creation, update, deletion and restoration of pools and providers. Each change is done by the time
//! its operation is returned.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Kind, missing, named};
use crate::call::Call;
use crate::cloud::{Cloud, random_hex};
use crate::error::{Answer, ApiError};

/// The state of a deleted pool or provider.
pub(super) const DELETED: &str = "DELETED";

/// The time for which a deleted pool or provider keeps its id, and can be restored
/// (<https://cloud.google.com/iam/docs/manage-workload-identity-pools-providers>).
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The settings of a pool.
const POOL: [&str; 3] = ["displayName", "description", "disabled"];
/// The settings of a provider; the sandbox has only OIDC providers.
const PROVIDER: [&str; 6] = [
    "displayName",
    "description",
    "disabled",
    "oidc",
    "attributeMapping",
    "attributeCondition",
];

fn settings(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Pool => &POOL,
        Kind::Provider => &PROVIDER,
    }
}

/// Removes what was deleted long enough ago.
pub(super) fn purge(cloud: &Cloud) {
    let now = cloud.identity().clock().now();
    let is_over = |pool: &Value| {
        let time = pool["expireTime"].as_str();
        time.and_then(|time| time.parse::<Timestamp>().ok())
            .is_some_and(|time| time <= now)
    };
    if cloud.read(|state| state.pools.values().any(is_over)) {
        cloud.write(|state| {
            let over: Vec<String> = state
                .pools
                .iter()
                .filter(|(_, pool)| is_over(pool))
                .map(|(name, _)| name.clone())
                .collect();
            state.pools.retain(|name, _| {
                !over.iter().any(|gone| {
                    name.strip_prefix(gone.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                })
            });
        });
    }
}

/// Creates a pool, or a provider of one, in a collection.
pub(super) fn create(cloud: &Cloud, call: &Call, kind: Kind, collection: &str) -> Answer {
    let parameter = match kind {
        Kind::Pool => "workloadIdentityPoolId",
        Kind::Provider => "workloadIdentityPoolProviderId",
    };
    let id = call.query.get(parameter).unwrap_or_default();
    let well_formed = id
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !(4..=32).contains(&id.len()) || !well_formed || id.starts_with("gcp-") {
        return Err(ApiError::invalid(format!(
            "Invalid value {id:?} for {parameter}: 4 to 32 of [a-z0-9-], not beginning with gcp-."
        )));
    }
    let mut made = json!({ "state": "ACTIVE" });
    for field in settings(kind) {
        if let Some(value) = call.body.get(*field).filter(|value| !value.is_null()) {
            made[*field] = value.clone();
        }
    }
    if kind == Kind::Provider {
        let pool = collection.trim_end_matches("/providers");
        let usable = |pool: &Value| pool["state"] != DELETED;
        if !cloud.read(|state| state.pools.get(pool).is_some_and(usable)) {
            return Err(missing());
        }
        check(&made)?;
    }
    let name = format!("{collection}/{id}");
    let fresh = cloud.write(|state| {
        let fresh = !state.pools.contains_key(&name);
        state.pools.entry(name.clone()).or_insert(made.clone());
        fresh
    });
    if !fresh {
        return Err(ApiError::exists("Requested entity already exists"));
    }
    Ok(operation(cloud, &name, &made))
}

/// Checks the settings of a provider.
fn check(provider: &Value) -> Result<(), ApiError> {
    let subject = provider["attributeMapping"]["google.subject"].as_str();
    if subject.is_none_or(str::is_empty) {
        return Err(ApiError::invalid(
            "The attribute mapping must map google.subject.",
        ));
    }
    let issuer = provider["oidc"]["issuerUri"].as_str();
    if !issuer.is_some_and(|issuer| issuer.starts_with("https://")) {
        return Err(ApiError::invalid(
            "The issuer URI must be an https URI; the sandbox creates only OIDC providers.",
        ));
    }
    Ok(())
}

/// Sets the fields of the update mask (<https://google.aip.dev/134>).
pub(super) fn update(cloud: &Cloud, call: &Call, kind: Kind, name: &str) -> Answer {
    let mask = call.query.get("updateMask").unwrap_or_default();
    let mut changed = existing(cloud, name)?;
    if changed["state"] == DELETED {
        return Err(missing());
    }
    for path in mask.split(',').filter(|path| !path.is_empty()) {
        let (first, below) = path
            .split_once('.')
            .map_or((path, None), |(a, b)| (a, Some(b)));
        if !settings(kind).contains(&first) {
            return Err(ApiError::invalid(format!(
                "Invalid field in update_mask: {path}"
            )));
        }
        let value = match below {
            None => call.body.get(first),
            Some(field) => call.body.get(first).and_then(|value| value.get(field)),
        };
        let value = value.cloned().unwrap_or_default();
        match below {
            None => changed[first] = value,
            Some(field) if changed[first].is_object() => {
                changed[first][field] = value;
            }
            Some(_) => {
                return Err(ApiError::invalid(format!(
                    "Invalid field in update_mask: {path}"
                )));
            }
        }
    }
    if kind == Kind::Provider {
        check(&changed)?;
    }
    set(cloud, name, &changed);
    Ok(operation(cloud, name, &changed))
}

/// Marks a pool or a provider as deleted. It keeps its id until it is purged.
pub(super) fn delete(cloud: &Cloud, name: &str) -> Answer {
    let mut deleted = existing(cloud, name)?;
    if deleted["state"] == DELETED {
        return Err(missing());
    }
    deleted["state"] = json!(DELETED);
    let end = cloud.identity().clock().now().saturating_add(KEPT);
    deleted["expireTime"] = json!(end.unwrap_or(Timestamp::MAX).to_string());
    set(cloud, name, &deleted);
    Ok(operation(cloud, name, &deleted))
}

/// Restores a deleted pool or provider.
pub(super) fn undelete(cloud: &Cloud, name: &str) -> Answer {
    let mut restored = existing(cloud, name)?;
    if restored["state"] != DELETED {
        // The wording is not confirmed.
        return Err(ApiError::precondition("Precondition check failed."));
    }
    restored["state"] = json!("ACTIVE");
    if let Some(fields) = restored.as_object_mut() {
        fields.remove("expireTime");
    }
    set(cloud, name, &restored);
    Ok(operation(cloud, name, &restored))
}

fn existing(cloud: &Cloud, name: &str) -> Result<Value, ApiError> {
    cloud
        .read(|state| state.pools.get(name).cloned())
        .ok_or_else(missing)
}

fn set(cloud: &Cloud, name: &str, pool: &Value) {
    cloud.write(|state| state.pools.insert(name.to_owned(), pool.clone()));
}

/// Returns the finished operation of a change.
fn operation(cloud: &Cloud, name: &str, pool: &Value) -> Value {
    let operation = format!("{name}/operations/{}", random_hex());
    let answer = json!({"name": operation, "done": true, "response": named(name, pool)});
    cloud.finished(&operation, &answer);
    answer
}
