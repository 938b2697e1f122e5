//! Secret Manager, `secretmanager.googleapis.com/v1`: secrets and their versions.
//!
//! Reference: <https://cloud.google.com/secret-manager/docs/reference/rest>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sidestep_sandbox_identity::Resource;

use super::policies::Policies;
use crate::call::Call;
use crate::cloud::Cloud;
use crate::error::{Answer, ApiError};
use crate::page::page;
use crate::state::{Secret, SecretVersion};

/// The maximum payload, in bytes (Secret Manager's limit).
const MAX_PAYLOAD: usize = 64 * 1024;

pub(crate) fn handle(cloud: &Cloud, call: &Call) -> Answer {
    let (_, path, _) = call.route();
    let (project, rest) = match path.as_slice() {
        ["v1", "projects", project, "secrets", rest @ ..] => (*project, rest),
        _ => return Err(call.unserved()),
    };
    let (id, project) = cloud.project(project);
    call.needs_api(cloud, &id)?;
    match rest {
        [] => collection(cloud, call, &id, &project.number),
        [secret, rest @ ..] => {
            let resource = Resource::Secret {
                project: id,
                name: (*secret).to_owned(),
            };
            let shown_name = format!("projects/{}/secrets/{secret}", project.number);
            One {
                cloud,
                call,
                name: resource.name(),
                resource,
                shown_name,
            }
            .handle(rest)
        }
    }
}

fn collection(cloud: &Cloud, call: &Call, project: &str, number: &str) -> Answer {
    let owner = Resource::Project(project.to_owned());
    let prefix = format!("projects/{project}/secrets/");
    match call.method.as_str() {
        "GET" => {
            call.needs(cloud, "secretmanager.secrets.list", &owner)?;
            let found = cloud.read(|state| {
                let mine = state
                    .secrets
                    .iter()
                    .filter_map(|(name, secret)| name.strip_prefix(&prefix).map(|id| (id, secret)));
                mine.map(|(id, secret)| shown(&format!("projects/{number}/secrets/{id}"), secret))
                    .collect()
            });
            page(call, "secrets", found)
        }
        "POST" => {
            call.needs(cloud, "secretmanager.secrets.create", &owner)?;
            let id = call.query.get("secretId").unwrap_or_default();
            let well_formed = id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
            if id.is_empty() || id.len() > 255 || !well_formed {
                return Err(ApiError::invalid(
                    "The provided Secret ID [secret_id] does not match the expected format [[a-zA-Z_0-9]+].",
                ));
            }
            let labels = call
                .body
                .get("labels")
                .and_then(|l| serde_json::from_value(l.clone()).ok());
            let secret = Secret {
                create_time: cloud.now(),
                labels: labels.unwrap_or_default(),
                versions: Vec::new(),
            };
            let name = format!("{prefix}{id}");
            let fresh = cloud.write(|state| {
                let fresh = !state.secrets.contains_key(&name);
                state.secrets.entry(name).or_insert_with(|| secret.clone());
                fresh
            });
            let shown_name = format!("projects/{number}/secrets/{id}");
            if fresh {
                Ok(shown(&shown_name, &secret))
            } else {
                Err(ApiError::exists(format!(
                    "Secret [{shown_name}] already exists."
                )))
            }
        }
        _ => Err(call.unserved()),
    }
}

struct One<'a> {
    cloud: &'a Cloud,
    call: &'a Call,
    resource: Resource,
    /// The stored name, with the project's id.
    name: String,
    /// The name in answers, with the project's number.
    shown_name: String,
}

impl One<'_> {
    fn handle(&self, rest: &[&str]) -> Answer {
        let Self { cloud, call, .. } = self;
        match (call.method.as_str(), rest, call.verb.as_deref()) {
            (_, [], Some(verb @ ("getIamPolicy" | "setIamPolicy" | "testIamPermissions"))) => {
                if let Err(missing) = self.secret() {
                    if verb == "testIamPermissions" {
                        return Ok(json!({}));
                    }
                    self.needs(&format!("secrets.{verb}"), &self.name)?;
                    return Err(missing);
                }
                let shared = Policies {
                    resource: &self.resource,
                    prefix: "secretmanager.secrets",
                    name: &self.name,
                };
                shared
                    .handle(cloud, call)
                    .unwrap_or_else(|| Err(call.unserved()))
            }
            ("GET", [], None) => {
                self.needs("secrets.get", &self.name)?;
                Ok(shown(&self.shown_name, &self.secret()?))
            }
            ("DELETE", [], None) => {
                self.needs("secrets.delete", &self.name)?;
                self.secret()?;
                cloud.write(|state| state.secrets.remove(&self.name));
                cloud.identity().forget_policy(&self.resource);
                Ok(json!({}))
            }
            ("POST", [], Some("addVersion")) => self.add_version(),
            ("GET", ["versions"], None) => {
                self.needs("versions.list", &self.name)?;
                let secret = self.secret()?;
                let newest_first = secret.versions.iter().enumerate().rev();
                page(
                    call,
                    "versions",
                    newest_first.map(|(n, v)| self.version(n + 1, v)).collect(),
                )
            }
            ("GET", ["versions", wanted], verb @ (None | Some("access"))) => {
                let action = if verb.is_some() { "access" } else { "get" };
                self.needs(
                    &format!("versions.{action}"),
                    &format!("{}/versions/{wanted}", self.name),
                )?;
                let (number, version) = self.find(wanted)?;
                if verb.is_none() {
                    Ok(self.version(number, &version))
                } else {
                    self.access(number, &version)
                }
            }
            _ => Err(call.unserved()),
        }
    }

    fn needs(&self, action: &str, name: &str) -> Result<(), ApiError> {
        self.call.needs_named(
            self.cloud,
            &format!("secretmanager.{action}"),
            &self.resource,
            name,
        )
    }

    fn secret(&self) -> Result<Secret, ApiError> {
        self.cloud
            .read(|state| state.secrets.get(&self.name).cloned())
            .ok_or_else(|| ApiError::not_found(format!("Secret [{}] not found.", self.shown_name)))
    }

    fn find(&self, wanted: &str) -> Result<(usize, SecretVersion), ApiError> {
        let secret = self.secret()?;
        let number = if wanted == "latest" {
            secret.versions.len()
        } else {
            wanted.parse().unwrap_or(0)
        };
        let version = number
            .checked_sub(1)
            .and_then(|index| secret.versions.get(index).cloned());
        version.map(|v| (number, v)).ok_or_else(|| {
            ApiError::not_found(format!(
                "Secret Version [{}/versions/{wanted}] not found.",
                self.shown_name
            ))
        })
    }

    fn access(&self, number: usize, version: &SecretVersion) -> Answer {
        let name = format!("{}/versions/{number}", self.shown_name);
        if version.state != "ENABLED" {
            return Err(ApiError::precondition(format!(
                "Secret Version [{name}] is in {} state.",
                version.state
            )));
        }
        let bytes = STANDARD.decode(&version.data).unwrap_or_default();
        let sum = crc32c::crc32c(&bytes);
        Ok(json!({"name": name, "payload": {"data": version.data, "dataCrc32c": sum.to_string()}}))
    }

    fn add_version(&self) -> Answer {
        self.needs("versions.add", &self.name)?;
        self.secret()?;
        let data = self.call.text("/payload/data").unwrap_or_default();
        let stated = self.call.body.pointer("/payload/dataCrc32c").map(|sum| {
            let text = sum.as_str().and_then(|text| text.parse().ok());
            text.or(sum.as_i64())
        });
        match STANDARD.decode(data) {
            Ok(bytes)
                if stated.is_some_and(|sum| sum != Some(i64::from(crc32c::crc32c(&bytes)))) =>
            {
                return Err(ApiError::invalid(
                    "The checksum of the payload does not match its dataCrc32c.",
                ));
            }
            Ok(bytes) if bytes.len() <= MAX_PAYLOAD => {}
            Ok(_) => return Err(ApiError::invalid("The payload is larger than 65536 bytes.")),
            Err(_) => {
                return Err(ApiError::invalid(
                    "Invalid value at 'payload.data': Base64 decoding failed.",
                ));
            }
        }
        let version = SecretVersion {
            create_time: self.cloud.now(),
            state: "ENABLED".to_owned(),
            data: data.to_owned(),
        };
        let number = self.cloud.write(|state| {
            let versions = &mut state.secrets.entry(self.name.clone()).or_default().versions;
            versions.push(version.clone());
            versions.len()
        });
        let mut answer = self.version(number, &version);
        // Says that the client's checksum was verified. Without it, gcloud treats the payload as
        // corrupt.
        answer["clientSpecifiedPayloadChecksum"] = json!(stated.is_some());
        Ok(answer)
    }

    fn version(&self, number: usize, version: &SecretVersion) -> Value {
        json!({
            "name": format!("{}/versions/{number}", self.shown_name),
            "createTime": version.create_time, "state": version.state,
            "replicationStatus": {"automatic": {}},
        })
    }
}

fn shown(name: &str, secret: &Secret) -> Value {
    let mut out =
        json!({"name": name, "replication": {"automatic": {}}, "createTime": secret.create_time});
    if !secret.labels.is_empty() {
        out["labels"] = json!(secret.labels);
    }
    out
}
