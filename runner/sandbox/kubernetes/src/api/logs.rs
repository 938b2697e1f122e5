//! `GET …/pods/NAME/log`.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::request::Request;
use crate::key::Key;
use crate::logs::{LogId, Logs, Selection};
use crate::status::{ApiError, Cause};
use crate::store::Store;

pub(crate) fn logs(
    store: &Store,
    logs: &Arc<Logs>,
    shutdown: CancellationToken,
    request: &Request,
) -> Result<Response, ApiError> {
    let key = Key::new("pods", &request.namespace, &request.name);
    let pod = store
        .get(&key)
        .ok_or_else(|| ApiError::not_found(request.kind, &request.name))?;
    let query = &request.query;
    let selection = selection(request)?;
    let name = container(&pod, query.get("container").filter(|c| !c.is_empty()))?;
    // A pod without a node has no log, and that is no error.
    if pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let restart = incarnation(&pod, &name, query.flag("previous"))?;
    let uid = pod["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let ended = ended(&pod, &name);
    let id = LogId {
        uid,
        container: name,
        restart,
    };
    let body = match ended {
        // The kubelet's message, which comes with status 200.
        Some(container) if !logs.has(&id) => {
            Body::from(format!("unable to retrieve container logs for {container}"))
        }
        _ => Body::from_stream(logs.read(id, selection, shutdown)),
    };
    Ok(([(header::CONTENT_TYPE, "text/plain")], body).into_response())
}

/// Returns what the parameters select, after `ValidatePodLogOptions` of
/// `k8s.io/kubernetes/pkg/apis/core/validation`.
fn selection(request: &Request) -> Result<Selection, ApiError> {
    let query = &request.query;
    let invalid = |cause| ApiError::invalid_request("", "PodLogOptions", &request.name, &cause);
    let number = |key: &str, least: i64, why| match query.number::<i64>(key)? {
        Some(number) if number < least => Err(invalid(Cause::invalid(key, &number.into(), why))),
        number => Ok(number.map(i64::unsigned_abs)),
    };
    let since_time = match query.get("sinceTime") {
        None => None,
        Some(text) => Some(text.parse::<Timestamp>().map_err(|_| {
            ApiError::bad_request(format!(
                "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \
                 \"2006\""
            ))
        })?),
    };
    let tail = number("tailLines", 0, "must be greater than or equal to 0")?;
    let limit = number("limitBytes", 1, "must be greater than 0")?;
    let seconds = number("sinceSeconds", 1, "must be greater than 0")?;
    if query.get("stream").is_some() {
        return Err(invalid(Cause::forbidden("stream", "may not be specified")));
    }
    let since = match (since_time, seconds) {
        (Some(_), Some(_)) => {
            let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
            return Err(invalid(Cause::forbidden("[]", why)));
        }
        (None, Some(seconds)) => {
            let back = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            Some(Timestamp::now().checked_sub(back).unwrap_or(Timestamp::MIN))
        }
        (time, None) => time,
    };
    Ok(Selection {
        follow: query.flag("follow"),
        timestamps: query.flag("timestamps"),
        since,
        tail,
        limit,
    })
}

/// Returns the id of a container that has ended.
fn ended(pod: &Value, name: &str) -> Option<String> {
    let end = &status(pod, name)?["state"]["terminated"];
    end.is_object()
        .then(|| end["containerID"].as_str().unwrap_or_default().to_owned())
}

fn status<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    ["containerStatuses", "initContainerStatuses"]
        .iter()
        .filter_map(|list| pod["status"][*list].as_array())
        .flatten()
        .find(|status| status["name"] == name)
}

fn names(pod: &Value, list: &str) -> Vec<String> {
    pod["spec"][list]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|c| c["name"].as_str().map(str::to_owned))
        .collect()
}

fn container(pod: &Value, wanted: Option<&str>) -> Result<String, ApiError> {
    let pod_name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let (main, init) = (names(pod, "containers"), names(pod, "initContainers"));
    match wanted {
        Some(name) if main.iter().chain(&init).any(|n| n == name) => Ok(name.to_owned()),
        Some(name) => Err(ApiError::bad_request(format!(
            "container {name} is not valid for pod {pod_name}"
        ))),
        None => match main.as_slice() {
            [only] => Ok(only.clone()),
            _ => {
                let inits = if init.is_empty() {
                    String::new()
                } else {
                    format!(" or one of the init containers: [{}]", init.join(" "))
                };
                Err(ApiError::bad_request(format!(
                    "a container name must be specified for pod {pod_name}, choose one of: \
                     [{}]{inits}",
                    main.join(" ")
                )))
            }
        },
    }
}

/// Returns the run of the container to read, or the kubelet's message if there is none.
fn incarnation(pod: &Value, name: &str, previous: bool) -> Result<u64, ApiError> {
    let pod_name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let status = status(pod, name).ok_or_else(|| {
        ApiError::bad_request(format!(
            "container \"{name}\" in pod \"{pod_name}\" is not available"
        ))
    })?;
    let restarts = status["restartCount"].as_u64().unwrap_or(0);
    if previous {
        return if status["lastState"]["terminated"].is_object() {
            Ok(restarts.saturating_sub(1))
        } else {
            Err(ApiError::bad_request(format!(
                "previous terminated container \"{name}\" in pod \"{pod_name}\" not found"
            )))
        };
    }
    let waiting = &status["state"]["waiting"];
    if !waiting.is_object() {
        return Ok(restarts);
    }
    // Between two runs, the log of the last one is shown.
    if status["lastState"]["terminated"].is_object() {
        return Ok(restarts);
    }
    let reason = waiting["reason"].as_str().unwrap_or("ContainerCreating");
    let why = match reason {
        "ErrImagePull" => "image can't be pulled".to_owned(),
        "ImagePullBackOff" => "trying and failing to pull image".to_owned(),
        other => other.to_owned(),
    };
    Err(ApiError::bad_request(format!(
        "container \"{name}\" in pod \"{pod_name}\" is waiting to start: {why}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_container_is_chosen_or_asked_for() {
        let pod = json!({ "metadata": { "name": "p" }, "spec": {
            "containers": [{ "name": "a" }, { "name": "b" }], "initContainers": [{ "name": "i" }] } });
        assert_eq!(container(&pod, Some("i")).expect("init"), "i");
        assert_eq!(
            container(&pod, None).expect_err("two").to_string(),
            "a container name must be specified for pod p, choose one of: [a b] or one of the init containers: [i]"
        );
        assert_eq!(
            container(&pod, Some("x")).expect_err("none").to_string(),
            "container x is not valid for pod p"
        );
    }

    #[test]
    fn a_waiting_container_says_why() {
        let pod = json!({ "metadata": { "name": "p" }, "status": { "containerStatuses": [
            { "name": "a", "state": { "waiting": { "reason": "ImagePullBackOff" } } }] } });
        assert_eq!(
            incarnation(&pod, "a", false)
                .expect_err("waits")
                .to_string(),
            "container \"a\" in pod \"p\" is waiting to start: trying and failing to pull image"
        );
        assert!(incarnation(&pod, "a", true).is_err());
    }
}
