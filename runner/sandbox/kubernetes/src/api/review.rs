//! Reviews and token requests, which are answered and not stored.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::{Action, Gatekeeper, User};
use crate::clock::{self, seconds};
use crate::key::Key;
use crate::kinds::{KINDS, Kind, by_plural};
use crate::names::unique_id;
use crate::status::{ApiError, Cause};
use crate::store::Store;
use crate::tokens;

/// Answers a review.
pub(crate) fn review(
    gate: &Gatekeeper,
    user: &User,
    kind: &'static Kind,
    mut review: Value,
) -> Result<Value, ApiError> {
    review["apiVersion"] = kind.api_version().into();
    review["kind"] = kind.kind.into();
    if !review["metadata"].is_object() {
        review["metadata"] = json!({});
    }
    review["status"] = match kind.kind {
        "SelfSubjectAccessReview" => access(gate, user, kind, &review["spec"])?,
        "SelfSubjectRulesReview" => rules(gate, user, &review["spec"]),
        "SelfSubjectReview" => {
            json!({ "userInfo": { "username": user.name(), "groups": user.groups() } })
        }
        "TokenReview" if review["spec"]["token"].as_str().is_none_or(str::is_empty) => {
            return Err(ApiError::bad_request(
                "token is required for TokenReview in authentication",
            ));
        }
        "TokenReview" => token(gate, &review["spec"]),
        _ => return Err(ApiError::method_not_allowed()),
    };
    Ok(review)
}

fn access(gate: &Gatekeeper, user: &User, kind: &Kind, spec: &Value) -> Result<Value, ApiError> {
    let asked = &spec["resourceAttributes"];
    if asked.is_object() == spec["nonResourceAttributes"].is_object() {
        // The server names the group, but not the kind.
        return Err(ApiError::invalid_request(
            kind.group,
            "",
            "",
            &Cause::invalid(
                "spec.resourceAttributes",
                asked,
                "exactly one of nonResourceAttributes or resourceAttributes must be specified",
            ),
        ));
    }
    let text = |field: &str| asked[field].as_str().unwrap_or_default();
    let allowed = if asked.is_object() {
        let (group, resource, verb) = (text("group"), text("resource"), text("verb"));
        let (resource, sub) = resource
            .split_once('/')
            .unwrap_or((resource, text("subresource")));
        let may = |kind: &Kind, verb: &str| {
            gate.allows(
                user,
                Action {
                    verb,
                    kind,
                    subresource: sub,
                    namespace: text("namespace"),
                    name: text("name"),
                },
            )
        };
        // A star stands for all kinds.
        let kinds: Vec<&Kind> = KINDS
            .iter()
            .filter(|k| {
                (resource == "*" || k.plural == resource) && (group == "*" || k.group == group)
            })
            .collect();
        !kinds.is_empty()
            && kinds.iter().all(|kind| {
                if verb == "*" {
                    kind.verbs.iter().all(|verb| may(kind, verb))
                } else {
                    may(kind, verb)
                }
            })
    } else {
        let path = spec["nonResourceAttributes"]["path"]
            .as_str()
            .unwrap_or_default();
        spec["nonResourceAttributes"]["verb"] == "get"
            && (super::about::is_public(path)
                || (!user.is_anonymous()
                    && ["/api", "/apis", "/openapi"]
                        .iter()
                        .any(|p| path.starts_with(p))))
    };
    let mut status = json!({ "allowed": allowed });
    if !allowed && asked.is_object() {
        let kind = by_plural(text("group"), text("resource"));
        if let (Some(kind), User::Google(_)) = (kind, user) {
            status["reason"] = format!(
                "requires one of [\"{}\"] permission(s).",
                kind.permission(text("verb"), text("subresource"))
            )
            .into();
        }
    }
    Ok(status)
}

fn rules(gate: &Gatekeeper, user: &User, spec: &Value) -> Value {
    let namespace = spec["namespace"].as_str().unwrap_or_default();
    let mut rules = Vec::new();
    for kind in KINDS {
        let mut add = |resource: String, subresource: &str, verbs: &[&'static str]| {
            let granted: Vec<&str> = verbs
                .iter()
                .filter(|verb| {
                    gate.allows(
                        user,
                        Action {
                            verb,
                            kind,
                            subresource,
                            namespace,
                            name: "",
                        },
                    )
                })
                .copied()
                .collect();
            if !granted.is_empty() {
                rules.push(json!({
                    "verbs": granted, "apiGroups": [kind.group], "resources": [resource],
                }));
            }
        };
        add(kind.plural.to_owned(), "", kind.verbs);
        for (sub, _, verbs) in kind.subresources {
            add(format!("{}/{sub}", kind.plural), sub, verbs);
        }
    }
    json!({
        "resourceRules": rules,
        "nonResourceRules": [{ "verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version"] }],
        "incomplete": false,
    })
}

fn token(gate: &Gatekeeper, spec: &Value) -> Value {
    let text = spec["token"].as_str().unwrap_or_default();
    let audiences: Vec<String> =
        serde_json::from_value(spec["audiences"].clone()).unwrap_or_default();
    let wanted: Vec<Option<&str>> = if audiences.is_empty() {
        vec![None]
    } else {
        audiences.iter().map(|a| Some(a.as_str())).collect()
    };
    let mut error = String::new();
    let mut good = Vec::new();
    let mut who = None;
    for audience in wanted {
        match gate.tokens.verify(text, audience) {
            Ok(subject) => {
                good.push(audience.unwrap_or_else(|| gate.tokens.issuer()).to_owned());
                who = Some(subject);
            }
            Err(reason) => error = reason.to_string(),
        }
    }
    match who {
        Some(subject) => {
            let uid = subject.uid.clone();
            let pod = subject.pod.clone();
            let user = User::ServiceAccount(subject);
            let mut info = json!({ "username": user.name(), "uid": uid, "groups": user.groups() });
            if let Some(pod) = pod {
                info["extra"] = json!({ "authentication.kubernetes.io/pod-name": [pod] });
            }
            json!({ "authenticated": true, "user": info, "audiences": good })
        }
        None => json!({ "user": {}, "error": format!("[invalid bearer token, {error}]") }),
    }
}

/// Handles `serviceaccounts/NAME/token`.
pub(crate) fn token_request(
    gate: &Gatekeeper,
    store: &Store,
    kind: &'static Kind,
    namespace: &str,
    name: &str,
    mut request: Value,
) -> Result<Value, ApiError> {
    let account = store
        .get(&Key::new(kind.plural, namespace, name))
        .ok_or_else(|| ApiError::not_found(kind, name))?;
    let spec = &request["spec"];
    let seconds_wanted = spec["expirationSeconds"].as_i64().unwrap_or(3600);
    let limit = |why: &str| {
        ApiError::invalid_request(
            "authentication.k8s.io",
            "TokenRequest",
            "",
            &Cause::invalid("spec.expirationSeconds", &seconds_wanted.into(), why),
        )
    };
    if seconds_wanted < 600 {
        return Err(limit("may not specify a duration less than 10 minutes"));
    }
    if seconds_wanted > 1 << 32 {
        return Err(limit("may not specify a duration larger than 2^32 seconds"));
    }
    let audiences: Vec<String> =
        serde_json::from_value(spec["audiences"].clone()).unwrap_or_default();
    let bound = bound(store, namespace, &account, &spec["boundObjectRef"])?;
    let wanted = tokens::Request {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        uid: account["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        audiences: audiences.clone(),
        seconds: seconds_wanted.min(48 * 3600),
        bound,
    };
    let (token, end): (String, Timestamp) =
        gate.tokens.sign(&wanted).map_err(ApiError::internal)?;
    request["apiVersion"] = "authentication.k8s.io/v1".into();
    request["kind"] = "TokenRequest".into();
    request["metadata"] = json!({
        "name": name, "namespace": namespace,
        "uid": unique_id(), "creationTimestamp": clock::now(),
    });
    if request["spec"]["boundObjectRef"].is_null() {
        request["spec"]["boundObjectRef"] = Value::Null;
    }
    request["spec"]["expirationSeconds"] = seconds_wanted.into();
    request["spec"]["audiences"] = if audiences.is_empty() {
        json!([gate.tokens.issuer()])
    } else {
        json!(audiences)
    };
    request["status"] = json!({ "token": token, "expirationTimestamp": seconds(end) });
    Ok(request)
}

/// Returns the pod or secret that the token is bound to.
fn bound(
    store: &Store,
    namespace: &str,
    account: &Value,
    reference: &Value,
) -> Result<Option<Value>, ApiError> {
    if !reference.is_object() {
        return Ok(None);
    }
    let plural = match reference["kind"].as_str() {
        Some("Pod") => "pods",
        Some("Secret") => "secrets",
        other => {
            return Err(ApiError::bad_request(format!(
                "cannot bind token to object of type /{}, Kind={}",
                reference["apiVersion"].as_str().unwrap_or_default(),
                other.unwrap_or_default()
            )));
        }
    };
    let kind = crate::kinds::core_kind(plural);
    let name = reference["name"].as_str().unwrap_or_default();
    let object = store
        .get(&Key::new(plural, namespace, name))
        .ok_or_else(|| ApiError::not_found(kind, name))?;
    let uid = &object["metadata"]["uid"];
    if let Some(wanted) = reference["uid"].as_str().filter(|u| !u.is_empty())
        && uid != wanted
    {
        return Err(ApiError::conflict(
            kind,
            name,
            &format!(
                "the UID in the bound object reference ({wanted}) does not match the UID in record"
            ),
        ));
    }
    if plural == "pods" && object["spec"]["serviceAccountName"] != account["metadata"]["name"] {
        return Err(ApiError::bad_request(format!(
            "cannot bind token for serviceaccount \"{}\" to pod running with different \
             serviceaccount",
            account["metadata"]["name"].as_str().unwrap_or_default()
        )));
    }
    Ok(Some(
        json!({ "kind": reference["kind"], "name": name, "uid": uid }),
    ))
}
