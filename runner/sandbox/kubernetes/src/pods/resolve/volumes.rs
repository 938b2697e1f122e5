//! The pod's volumes as local folders.

use std::io;
use std::path::{Component, Path};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Missing, Mount, Resolver};
use crate::tokens::Request;

/// Paths in a volume, with their contents.
type Files = Vec<(String, Vec<u8>)>;

impl Resolver<'_> {
    /// Creates the pod's volumes, and recreates those whose content changes.
    pub(crate) fn volumes(&self) -> Result<(), Missing> {
        for volume in self.pod["spec"]["volumes"].as_array().into_iter().flatten() {
            let name = volume["name"].as_str().unwrap_or_default();
            let made = self
                .files(volume)
                .and_then(|files| self.write(name, &files).map_err(|error| error.to_string()));
            made.map_err(|why| {
                Missing::Mount(format!(
                    "MountVolume.SetUp failed for volume \"{name}\" : {why}"
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
            if !is_inside(relative) {
                return Err(io::Error::other(format!(
                    "{path:?} is not a path inside the volume"
                )));
            }
            let file = folder.join(relative);
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            sidestep_sandbox_base::disk::write(&file, bytes)?;
        }
        Ok(())
    }

    fn files(&self, volume: &Value) -> Result<Files, String> {
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
        Err("the sandbox does not support volumes of this kind".to_owned())
    }

    /// Returns the contents of a secret or a config map, by key or by the paths in the source.
    pub(super) fn keys(&self, plural: &str, source: &Value, by: &str) -> Result<Files, String> {
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
                None => {
                    let kind = if plural == "secrets" {
                        "secret"
                    } else {
                        "config"
                    };
                    return Err(format!("references non-existent {kind} key: {key}"));
                }
            }
        }
        Ok(chosen)
    }

    fn downward(&self, source: &Value) -> Files {
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

    /// Returns the container's volume mounts.
    pub(super) fn mounts(&self, container: &Value) -> Vec<Mount> {
        container["volumeMounts"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|m| {
                let mut host = self.dir.join("volumes").join(m["name"].as_str()?);
                if let Some(sub) = m["subPath"].as_str() {
                    if !is_inside(Path::new(sub)) {
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
            .collect()
    }
}

/// Returns whether a path stays inside the folder that it is joined to.
fn is_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
}
