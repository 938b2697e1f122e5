//! What a container gets: its environment with every reference followed, and its volumes as
//! folders of this machine.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::store::{Key, Store};
use crate::tokens::{Request, Tokens};

/// A place in the container that is a place on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where the container sees it.
    pub path: String,
    /// The folder or file here.
    pub host: PathBuf,
    /// Whether the container may not write to it.
    pub read_only: bool,
}

/// A container with everything that a runtime needs to start it.
#[derive(Clone, PartialEq, Eq)]
pub struct ResolvedContainer {
    /// Its name in the pod.
    pub name: String,
    /// Its image, as written.
    pub image: String,
    /// The entry point; empty: the image's own.
    pub command: Vec<String>,
    /// The arguments, with `$(NAME)` replaced.
    pub args: Vec<String>,
    /// The environment, in order.
    pub env: Vec<(String, String)>,
    /// Volumes, and the termination message file.
    pub mounts: Vec<Mount>,
    /// The working folder, where the pod names one.
    pub working_dir: Option<String>,
    /// The file here that the container sees as its `terminationMessagePath`.
    pub termination_message: PathBuf,
    /// How often it has been started before in this pod.
    pub restarts: u64,
    /// The memory limit in bytes, where there is one.
    pub memory_limit: Option<u64>,
}

impl fmt::Debug for ResolvedContainer {
    /// Without the environment and the arguments, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolvedContainer")
            .field("name", &self.name)
            .field("image", &self.image)
            .field("restarts", &self.restarts)
            .finish_non_exhaustive()
    }
}

/// Why a container cannot be made yet.
#[derive(Debug)]
pub(crate) enum Missing {
    /// A reference of the environment: the container waits with `CreateContainerConfigError`.
    Config(String),
    /// A volume: the pod waits, with a `FailedMount` event.
    Mount(String),
}

pub(crate) struct Resolver<'a> {
    pub(crate) store: &'a Store,
    pub(crate) tokens: &'a Tokens,
    pub(crate) pod: &'a Value,
    /// The pod's folder on this machine.
    pub(crate) dir: PathBuf,
}

impl Resolver<'_> {
    fn namespace(&self) -> &str {
        self.pod["metadata"]["namespace"]
            .as_str()
            .unwrap_or_default()
    }

    fn object(&self, plural: &str, name: &str) -> Option<std::sync::Arc<Value>> {
        self.store.get(&Key::new(plural, self.namespace(), name))
    }

    /// Makes the pod's volumes, those that change anew.
    pub(crate) fn volumes(&self) -> Result<(), Missing> {
        for volume in self.pod["spec"]["volumes"].as_array().into_iter().flatten() {
            let name = volume["name"].as_str().unwrap_or_default();
            let files = self.files(volume).map_err(|why| {
                Missing::Mount(format!(
                    "MountVolume.SetUp failed for volume \"{name}\" : {why}"
                ))
            })?;
            self.write(name, &files).map_err(|error| {
                Missing::Mount(format!(
                    "MountVolume.SetUp failed for volume \"{name}\" : {error}"
                ))
            })?;
        }
        Ok(())
    }

    fn write(&self, volume: &str, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        let folder = self.dir.join("volumes").join(volume);
        std::fs::create_dir_all(&folder)?;
        for (path, bytes) in files {
            let relative = Path::new(path);
            let plain = relative
                .components()
                .all(|c| matches!(c, std::path::Component::Normal(_)));
            if !plain {
                return Err(io::Error::other(format!(
                    "{path:?} is no path inside the volume"
                )));
            }
            let file = folder.join(relative);
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            crate::journal::write_atomically(&file, bytes)?;
        }
        Ok(())
    }

    fn files(&self, volume: &Value) -> Result<Vec<(String, Vec<u8>)>, String> {
        if volume["secret"].is_object() {
            return self.keys("secrets", &volume["secret"], "secretName");
        }
        if volume["configMap"].is_object() {
            return self.keys("configmaps", &volume["configMap"], "name");
        }
        if volume["downwardAPI"].is_object() {
            return Ok(self.downward(&volume["downwardAPI"]));
        }
        if volume["emptyDir"].is_object() {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        for source in volume["projected"]["sources"]
            .as_array()
            .into_iter()
            .flatten()
        {
            if source["secret"].is_object() {
                files.extend(self.keys("secrets", &source["secret"], "name")?);
            } else if source["configMap"].is_object() {
                files.extend(self.keys("configmaps", &source["configMap"], "name")?);
            } else if source["downwardAPI"].is_object() {
                files.extend(self.downward(&source["downwardAPI"]));
            } else if source["serviceAccountToken"].is_object() {
                files.push(self.token(&source["serviceAccountToken"])?);
            }
        }
        if volume["projected"].is_object() {
            return Ok(files);
        }
        Err("the sandbox has no volumes of this kind".to_owned())
    }

    fn keys(
        &self,
        plural: &str,
        source: &Value,
        by: &str,
    ) -> Result<Vec<(String, Vec<u8>)>, String> {
        let name = source[by].as_str().unwrap_or_default();
        let optional = source["optional"] == true;
        let Some(object) = self.object(plural, name) else {
            let kind = plural.trim_end_matches('s');
            return if optional {
                Ok(Vec::new())
            } else {
                Err(format!("{kind} \"{name}\" not found"))
            };
        };
        let mut all = Vec::new();
        for (field, encoded) in [("data", plural == "secrets"), ("binaryData", true)] {
            for (key, value) in object[field].as_object().into_iter().flatten() {
                let text = value.as_str().unwrap_or_default();
                let bytes = if encoded {
                    STANDARD
                        .decode(text)
                        .map_err(|e| format!("key {key}: {e}"))?
                } else {
                    text.as_bytes().to_vec()
                };
                all.push((key.clone(), bytes));
            }
        }
        let Some(items) = source["items"].as_array() else {
            return Ok(all);
        };
        let mut chosen = Vec::new();
        for item in items {
            let key = item["key"].as_str().unwrap_or_default();
            let path = item["path"].as_str().unwrap_or(key).to_owned();
            match all.iter().find(|(k, _)| k == key) {
                Some((_, bytes)) => chosen.push((path, bytes.clone())),
                None if optional => {}
                None => return Err(format!("references non-existent secret key: {key}")),
            }
        }
        Ok(chosen)
    }

    fn downward(&self, source: &Value) -> Vec<(String, Vec<u8>)> {
        source["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| {
                let text = self.field(item["fieldRef"]["fieldPath"].as_str()?);
                Some((item["path"].as_str()?.to_owned(), text.into_bytes()))
            })
            .collect()
    }

    fn token(&self, source: &Value) -> Result<(String, Vec<u8>), String> {
        let meta = &self.pod["metadata"];
        let account = self.pod["spec"]["serviceAccountName"]
            .as_str()
            .unwrap_or("default");
        let found = self
            .object("serviceaccounts", account)
            .ok_or_else(|| format!("serviceaccounts \"{account}\" not found"))?;
        let request = Request {
            namespace: self.namespace().to_owned(),
            name: account.to_owned(),
            uid: found["metadata"]["uid"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            audiences: source["audience"]
                .as_str()
                .map(str::to_owned)
                .into_iter()
                .collect(),
            seconds: source["expirationSeconds"].as_i64().unwrap_or(3600),
            bound: Some(serde_json::json!({
                "kind": "Pod", "name": meta["name"], "uid": meta["uid"],
            })),
        };
        let (token, _) = self
            .tokens
            .sign(&request)
            .map_err(|error| error.to_string())?;
        Ok((
            source["path"].as_str().unwrap_or("token").to_owned(),
            token.into_bytes(),
        ))
    }

    fn field(&self, path: &str) -> String {
        let pod = self.pod;
        if let Some((map, key)) = path.strip_suffix("']").and_then(|p| p.split_once("['")) {
            let map = map.strip_prefix("metadata.").unwrap_or(map);
            return pod["metadata"][map][key]
                .as_str()
                .unwrap_or_default()
                .to_owned();
        }
        match path.split('.').fold(pod, |at, part| &at[part]) {
            Value::String(text) => text.clone(),
            Value::Object(map) => {
                let lines: Vec<String> = map
                    .iter()
                    .map(|(k, v)| format!("{k}=\"{}\"", v.as_str().unwrap_or_default()))
                    .collect();
                lines.join("\n")
            }
            _ => String::new(),
        }
    }

    /// One container, ready to be started.
    pub(crate) fn container(
        &self,
        container: &Value,
        restarts: u64,
    ) -> Result<ResolvedContainer, Missing> {
        let text = |field: &str| container[field].as_str().unwrap_or_default().to_owned();
        let name = text("name");
        let env = self.environment(container)?;
        let words = |field: &str| -> Vec<String> {
            container[field]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|w| w.as_str().map(|w| expand(w, &env)))
                .collect()
        };
        let message = self
            .dir
            .join("termination")
            .join(format!("{name}-{restarts}"));
        let failed = |error: io::Error| Missing::Config(format!("the sandbox's disk: {error}"));
        std::fs::create_dir_all(self.dir.join("termination")).map_err(failed)?;
        if !message.exists() {
            std::fs::write(&message, b"").map_err(failed)?;
        }
        let mut mounts: Vec<Mount> = container["volumeMounts"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|m| {
                let mut host = self.dir.join("volumes").join(m["name"].as_str()?);
                if let Some(sub) = m["subPath"].as_str() {
                    let inside = Path::new(sub)
                        .components()
                        .all(|c| matches!(c, std::path::Component::Normal(_)));
                    if !inside {
                        return None;
                    }
                    host.push(sub);
                }
                Some(Mount {
                    path: m["mountPath"].as_str()?.to_owned(),
                    host,
                    read_only: m["readOnly"] == true,
                })
            })
            .collect();
        mounts.push(Mount {
            path: text("terminationMessagePath"),
            host: message.clone(),
            read_only: false,
        });
        Ok(ResolvedContainer {
            command: words("command"),
            args: words("args"),
            name,
            image: text("image"),
            env,
            mounts,
            working_dir: container["workingDir"].as_str().map(str::to_owned),
            termination_message: message,
            restarts,
            memory_limit: container["resources"]["limits"]["memory"]
                .as_str()
                .and_then(super::quantity::thousandths)
                .and_then(|t| u64::try_from(t / 1000).ok()),
        })
    }

    fn environment(&self, container: &Value) -> Result<Vec<(String, String)>, Missing> {
        let mut env: Vec<(String, String)> = Vec::new();
        let mut set = |name: String, value: String| match env.iter_mut().find(|(n, _)| *n == name) {
            Some(have) => have.1 = value,
            None => env.push((name, value)),
        };
        set("HOSTNAME".to_owned(), self.field("metadata.name"));
        for from in container["envFrom"].as_array().into_iter().flatten() {
            let prefix = from["prefix"].as_str().unwrap_or_default();
            for (field, plural) in [("secretRef", "secrets"), ("configMapRef", "configmaps")] {
                if from[field].is_object() {
                    let values = self
                        .keys(plural, &from[field], "name")
                        .map_err(Missing::Config)?;
                    for (key, value) in values {
                        set(
                            format!("{prefix}{key}"),
                            String::from_utf8_lossy(&value).into_owned(),
                        );
                    }
                }
            }
        }
        let mut known: Vec<(String, String)> = env.clone();
        for item in container["env"].as_array().into_iter().flatten() {
            let name = item["name"].as_str().unwrap_or_default().to_owned();
            let value = match self.value(&item["valueFrom"])? {
                From::Value(value) => value,
                From::Absent => continue,
                From::Plain => expand(item["value"].as_str().unwrap_or_default(), &known),
            };
            known.retain(|(n, _)| *n != name);
            known.push((name, value));
        }
        Ok(known)
    }

    fn value(&self, from: &Value) -> Result<From, Missing> {
        for (field, plural, kind) in [
            ("secretKeyRef", "secrets", "Secret"),
            ("configMapKeyRef", "configmaps", "ConfigMap"),
        ] {
            let reference = &from[field];
            if !reference.is_object() {
                continue;
            }
            let (name, key) = (
                reference["name"].as_str().unwrap_or_default(),
                reference["key"].as_str().unwrap_or_default(),
            );
            let values = self
                .keys(plural, reference, "name")
                .map_err(Missing::Config)?;
            return match values.into_iter().find(|(k, _)| k == key) {
                Some((_, value)) => Ok(From::Value(String::from_utf8_lossy(&value).into_owned())),
                None if reference["optional"] == true => Ok(From::Absent),
                None => Err(Missing::Config(format!(
                    "couldn't find key {key} in {kind} {}/{name}",
                    self.namespace()
                ))),
            };
        }
        if let Some(path) = from["fieldRef"]["fieldPath"].as_str() {
            return Ok(From::Value(self.field(path)));
        }
        Ok(From::Plain)
    }
}

enum From {
    Value(String),
    Absent,
    Plain,
}

/// Replaces `$(NAME)` by known variables; `$$` stands for `$`.
fn expand(text: &str, env: &[(String, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        if let Some(after) = tail.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = tail.strip_prefix('(').and_then(|t| t.split_once(')')) {
            match env.iter().find(|(n, _)| n == name) {
                Some((_, value)) => out.push_str(value),
                None => out.push_str(&rest[at..rest.len() - after.len()]),
            }
            rest = after;
        } else {
            out.push('$');
            rest = tail;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_in_arguments() {
        let env = vec![("A".to_owned(), "1".to_owned())];
        for (text, expanded) in [
            ("$(A)/x", "1/x"),
            ("$$(A)", "$(A)"),
            ("$(B)", "$(B)"),
            ("$", "$"),
            ("$(A", "$(A"),
        ] {
            assert_eq!(expand(text, &env), expanded);
        }
    }
}
