//! Google's credential files, and Docker's configuration files, as JSON.

use serde_json::{Map, Value};

use crate::found::{Key, Kind};
use crate::pem;
use crate::search::Search;
use crate::shape::{is_email, is_key_id, is_project, is_registry};

/// The user names under which Google's registries take a key as the password.
/// <https://cloud.google.com/artifact-registry/docs/docker/authentication#json-key>
const KEY_USERS: [&str; 2] = ["_json_key", "_json_key_base64"];
/// The deepest value that is looked at.
const DEEPEST: usize = 32;

/// Looks through a JSON value.
pub(crate) fn walk(search: &mut Search<'_>, value: &Value, depth: usize, layer: usize) {
    if depth > DEEPEST {
        return search.cut();
    }
    match value {
        Value::Object(fields) => {
            if credentials(search, fields) {
                return;
            }
            if let Some(Value::Object(auths)) = fields.get("auths") {
                for (registry, auth) in auths {
                    registry_password(search, registry, auth, layer);
                }
            }
            let rest = fields.iter().filter(|(name, _)| *name != "auths");
            for (name, value) in rest {
                search.nested(name.as_bytes(), layer);
                walk(search, value, depth + 1, layer);
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| walk(search, value, depth + 1, layer)),
        Value::String(text) => search.nested(text.as_bytes(), layer),
        _ => {}
    }
}

/// Takes an object that is a credential file of Google. Returns whether nothing else can be in it.
fn credentials(search: &mut Search<'_>, fields: &Map<String, Value>) -> bool {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let (kind, secret) = match text("type") {
        Some("service_account") => (Kind::ServiceAccountKey, text("private_key")),
        Some("authorized_user" | "external_account_authorized_user") => {
            (Kind::UserCredentials, text("refresh_token"))
        }
        Some("external_account") => (Kind::ExternalAccount, None),
        _ => return false,
    };
    let fact = |name: &str, fits: fn(&str) -> bool| {
        text(name).filter(|text| fits(text)).map(str::to_owned)
    };
    let is_one = match kind {
        // An example has no key in its place.
        Kind::ServiceAccountKey => secret.is_some_and(pem::is_private_key),
        Kind::UserCredentials => secret.is_some_and(|token| token.len() >= 16),
        _ => true,
    };
    if !is_one {
        return false;
    }
    let email = fact("client_email", is_email);
    search.add(
        Key {
            kind,
            key_id: fact("private_key_id", is_key_id),
            project: fact("project_id", is_project),
            email,
            registry: search.registry.clone(),
            line: search.line,
        },
        secret,
    );
    secret.is_some()
}

/// Searches a registry's entry of Docker's configuration: only a key as the password is a finding.
fn registry_password(search: &mut Search<'_>, registry: &str, auth: &Value, layer: usize) {
    let text = |name: &str| auth[name].as_str().unwrap_or_default();
    let pair = crate::search::decoded(text("auth"));
    let pair = pair.and_then(|bytes| String::from_utf8(bytes).ok());
    let (user, password) = match pair.as_deref().and_then(|pair| pair.split_once(':')) {
        Some(pair) => pair,
        None => (text("username"), text("password")),
    };
    if !KEY_USERS.contains(&user) {
        return;
    }
    let shown = is_registry(registry).then(|| registry.to_owned());
    let outer = std::mem::replace(&mut search.registry, shown);
    search.nested(password.as_bytes(), layer);
    search.registry = outer;
}
