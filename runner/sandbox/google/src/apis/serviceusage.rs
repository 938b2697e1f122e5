//! Service Usage, `serviceusage.googleapis.com/v1`: which APIs a project has enabled.
//!
//! Reference: <https://cloud.google.com/service-usage/docs/reference/rest>.

use serde_json::{Value, json};
use sidestep_sandbox_identity::Resource;

use crate::api::{SERVICES, title};
use crate::call::Call;
use crate::cloud::{Cloud, random_hex};
use crate::error::{Answer, ApiError};
use crate::page::page;

pub(crate) fn handle(cloud: &Cloud, call: &Call) -> Answer {
    let (method, path, verb) = call.route();
    let (project, rest) = match path.as_slice() {
        ["v1", "operations", name] if method == "GET" => return operation(cloud, name),
        ["v1", "projects", project, rest @ ..] => (*project, rest),
        _ => return Err(call.unserved()),
    };
    let (id, project) = cloud.project(project);
    let scope = Scope {
        id,
        number: project.number,
    };
    match (method, rest, verb) {
        ("GET", ["services"], "") => scope.list(cloud, call),
        ("GET", ["services"], "batchGet") => scope.batch_get(cloud, call),
        ("POST", ["services"], "batchEnable") => {
            let ids = call.body.get("serviceIds").and_then(Value::as_array);
            let ids: Vec<&str> = ids
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            scope.enable(cloud, call, &ids, true)
        }
        ("GET", ["services", service], "") => scope.get(cloud, call, service),
        ("POST", ["services", service], "enable") => scope.enable(cloud, call, &[service], false),
        ("POST", ["services", service], "disable") => scope.disable(cloud, call, service),
        _ => Err(call.unserved()),
    }
}

struct Scope {
    id: String,
    number: String,
}

impl Scope {
    fn may(&self, cloud: &Cloud, call: &Call, action: &str, service: &str) -> Result<(), ApiError> {
        let permission = format!("serviceusage.services.{action}");
        if call.may(cloud, &permission, &Resource::Project(self.id.clone())) {
            return Ok(());
        }
        let metadata =
            json!({"permission": permission, "resource": format!("projects/{}", self.id)});
        let message = format!("Permission denied to {action} service [{service}]");
        Err(ApiError::usage_denied(
            message,
            "AUTH_PERMISSION_DENIED",
            &metadata,
        ))
    }

    fn shown(&self, cloud: &Cloud, service: &str) -> Value {
        let state = if cloud.is_enabled(&self.id, service) {
            "ENABLED"
        } else {
            "DISABLED"
        };
        json!({
            "name": format!("projects/{}/services/{service}", self.number),
            "config": {"name": service, "title": title(service)},
            "state": state,
            "parent": format!("projects/{}", self.number),
        })
    }

    fn list(&self, cloud: &Cloud, call: &Call) -> Answer {
        self.may(cloud, call, "list", "services")?;
        let wanted = call
            .query
            .get("filter")
            .and_then(|f| f.strip_prefix("state:"));
        let all = SERVICES.iter().map(|s| self.shown(cloud, s));
        page(
            call,
            "services",
            all.filter(|s| wanted.is_none_or(|w| s["state"] == w))
                .collect(),
        )
    }

    fn batch_get(&self, cloud: &Cloud, call: &Call) -> Answer {
        let services = call
            .query
            .all("names")
            .map(|name| self.get(cloud, call, name.rsplit('/').next().unwrap_or(name)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(json!({ "services": services }))
    }

    fn get(&self, cloud: &Cloud, call: &Call, service: &str) -> Answer {
        self.may(cloud, call, "get", service)?;
        known(service)?;
        Ok(self.shown(cloud, service))
    }

    fn enable(&self, cloud: &Cloud, call: &Call, services: &[&str], batch: bool) -> Answer {
        for service in services {
            self.may(cloud, call, "enable", service)?;
            known(service)?;
        }
        let project = self.id.clone();
        cloud.write(|state| {
            state
                .services
                .entry(project)
                .or_default()
                .extend(services.iter().map(|s| (*s).to_owned()));
        });
        let shown: Vec<Value> = services.iter().map(|s| self.shown(cloud, s)).collect();
        Ok(if batch {
            self.done(
                cloud,
                "BatchEnableServicesResponse",
                "services",
                Value::from(shown),
            )
        } else {
            let one = shown.into_iter().next().unwrap_or_default();
            self.done(cloud, "EnableServiceResponse", "service", one)
        })
    }

    fn disable(&self, cloud: &Cloud, call: &Call, service: &str) -> Answer {
        self.may(cloud, call, "disable", service)?;
        known(service)?;
        cloud.write(|state| {
            if let Some(enabled) = state.services.get_mut(&self.id) {
                enabled.remove(service);
            }
        });
        let shown = self.shown(cloud, service);
        Ok(self.done(cloud, "DisableServiceResponse", "service", shown))
    }

    fn done(&self, cloud: &Cloud, kind: &str, key: &str, value: Value) -> Value {
        let name = format!("operations/acf.p2-{}-{}", self.number, random_hex());
        let mut response = json!({
            "@type": format!("type.googleapis.com/google.api.serviceusage.v1.{kind}"),
        });
        response[key] = value;
        let operation = json!({"name": name, "done": true, "response": response});
        cloud.finished(&name, &operation);
        operation
    }
}

fn operation(cloud: &Cloud, name: &str) -> Answer {
    let name = format!("operations/{name}");
    cloud
        .read(|state| state.operations.get(&name).cloned())
        .ok_or_else(|| ApiError::not_found(format!("Operation {name} was not found.")))
}

fn known(service: &str) -> Result<(), ApiError> {
    if SERVICES.contains(&service) {
        return Ok(());
    }
    let message = format!("Not found or permission denied for service(s): {service}.");
    let metadata = json!({ "services": service });
    Err(ApiError::usage_denied(
        message,
        "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
        &metadata,
    ))
}
