//! Checks pods. A pod may only have fields that are known to be harmless, or whose values the scope
//! names. Every other field is refused by its name, including fields of later Kubernetes versions.

mod amounts;
mod container;
mod volume;

use serde_json::{Map, Value};

use crate::scope::Scope;

/// The refusal of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodRefusal {
    /// The field, as a path: `spec.containers[0].image`.
    pub field: String,
    /// The reason.
    pub message: String,
    /// The scope's key and the missing value; `None` if no grant helps.
    pub missing: Option<(&'static str, String)>,
}

type Check = Result<(), PodRefusal>;

impl Scope {
    /// Checks that a pod has only fields that this scope allows. `own_secrets` are Secrets that the
    /// host creates for this pod; they need no grant.
    pub fn admits_pod(&self, pod: &Value, own_secrets: &[&str]) -> Check {
        let walk = Walk {
            scope: self,
            own_secrets,
        };
        walk.pod(pod)
    }
}

struct Walk<'a> {
    scope: &'a Scope,
    own_secrets: &'a [&'a str],
}

fn refuse(field: &str, message: impl Into<String>) -> PodRefusal {
    PodRefusal {
        field: field.to_owned(),
        message: message.into(),
        missing: None,
    }
}

fn map<'v>(at: &str, value: &'v Value) -> Result<&'v Map<String, Value>, PodRefusal> {
    value
        .as_object()
        .ok_or_else(|| refuse(at, "a map is expected here"))
}

fn list<'v>(at: &str, value: &'v Value) -> Result<&'v [Value], PodRefusal> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| refuse(at, "a list is expected here"))
}

fn text<'v>(at: &str, value: &'v Value) -> Result<&'v str, PodRefusal> {
    value
        .as_str()
        .ok_or_else(|| refuse(at, "a string is expected here"))
}

fn only_false(value: &Value) -> bool {
    matches!(value, Value::Bool(false) | Value::Null)
}

impl Walk<'_> {
    /// Checks a map's entries; `known` checks each known one.
    fn fields(
        &self,
        at: &str,
        value: &Value,
        known: impl Fn(&str, &str, &Value) -> Option<Check>,
    ) -> Check {
        for (key, value) in map(at, value)? {
            let at = if at.is_empty() {
                key.clone()
            } else {
                format!("{at}.{key}")
            };
            match known(key, &at, value) {
                Some(check) => check?,
                None => {
                    return Err(refuse(
                        &at,
                        format!("the field `{key}` is not allowed in pods here"),
                    ));
                }
            }
        }
        Ok(())
    }

    fn each(&self, at: &str, value: &Value, one: impl Fn(&str, &Value) -> Check) -> Check {
        if value.is_null() {
            return Ok(());
        }
        for (index, item) in list(at, value)?.iter().enumerate() {
            one(&format!("{at}[{index}]"), item)?;
        }
        Ok(())
    }

    fn named(&self, at: &str, key: &'static str, what: &str, value: &str) -> Check {
        if self.scope.admits(key, value) {
            return Ok(());
        }
        Err(PodRefusal {
            field: at.to_owned(),
            message: format!("the {what} `{value}` is not granted"),
            missing: Some((key, value.to_owned())),
        })
    }

    fn dangerous(&self, at: &str, name: &'static str) -> Check {
        // A scope from a file always limits `podFields`.
        if self.scope.limits().get("podFields").is_some() && self.scope.admits("podFields", name) {
            return Ok(());
        }
        Err(PodRefusal {
            field: at.to_owned(),
            message: format!(
                "`{name}` is refused unless a grant and the operator's policy name it"
            ),
            missing: Some(("podFields", name.to_owned())),
        })
    }

    fn secret(&self, at: &str, name: &Value) -> Check {
        let name = text(at, name)?;
        if self.own_secrets.contains(&name) {
            return Ok(());
        }
        self.named(at, "secrets", "secret", name)
    }

    fn config_map(&self, at: &str, name: &Value) -> Check {
        self.named(at, "configMaps", "config map", text(at, name)?)
    }

    fn pod(&self, pod: &Value) -> Check {
        self.fields("", pod, |key, at, value| {
            Some(match key {
                "apiVersion" if value == "v1" => Ok(()),
                "kind" if value == "Pod" => Ok(()),
                "metadata" => self.metadata(at, value),
                "spec" => self.spec(at, value),
                _ => return None,
            })
        })?;
        let spec = pod.get("spec").filter(|spec| spec.is_object());
        let spec = spec.ok_or_else(|| refuse("spec", "a pod must have a spec"))?;
        let account = spec
            .get("serviceAccountName")
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty())
            .unwrap_or("default");
        // Even without a mounted token, a pod can use the account through the metadata server.
        self.named(
            "spec.serviceAccountName",
            "serviceAccounts",
            "service account",
            account,
        )?;
        self.amounts(spec)
    }

    fn metadata(&self, at: &str, value: &Value) -> Check {
        self.fields(at, value, |key, at, value| {
            Some(match key {
                "name" | "generateName" | "namespace" | "labels" => Ok(()),
                "annotations" => self.annotations(at, value),
                _ => return None,
            })
        })
    }

    /// Checks annotations. Some under Kubernetes' own names disable protections (AppArmor,
    /// seccomp).
    fn annotations(&self, at: &str, value: &Value) -> Check {
        for key in map(at, value)?.keys() {
            let domain = key.split('/').next().unwrap_or_default();
            let reserved = ["kubernetes.io", "k8s.io"]
                .iter()
                .any(|own| domain == *own || domain.ends_with(&format!(".{own}")));
            if reserved && key != "cluster-autoscaler.kubernetes.io/safe-to-evict" {
                return Err(refuse(
                    &format!("{at}.{key}"),
                    format!("the annotation `{key}` is not allowed in pods"),
                ));
            }
        }
        Ok(())
    }

    fn spec(&self, at: &str, value: &Value) -> Check {
        self.fields(at, value, |key, at, value| {
            Some(match key {
                "restartPolicy"
                | "activeDeadlineSeconds"
                | "terminationGracePeriodSeconds"
                | "automountServiceAccountToken"
                | "nodeSelector"
                | "tolerations"
                | "affinity"
                | "enableServiceLinks"
                | "dnsPolicy"
                | "serviceAccountName" => Ok(()),
                "hostUsers" if *value == Value::Bool(false) => Ok(()),
                "containers" | "initContainers" => {
                    self.each(at, value, |at, v| self.container(at, v))
                }
                "ephemeralContainers" => self.dangerous(at, "ephemeralContainers"),
                "imagePullSecrets" => self.each(at, value, |at, v| {
                    self.fields(at, v, |key, at, v| {
                        (key == "name").then(|| self.secret(at, v))
                    })
                }),
                "volumes" => self.each(at, value, |at, v| self.volume(at, v)),
                "securityContext" => self.security(at, value),
                "hostNetwork" if only_false(value) => Ok(()),
                "hostPID" if only_false(value) => Ok(()),
                "hostIPC" if only_false(value) => Ok(()),
                "hostNetwork" => self.dangerous(at, "hostNetwork"),
                "hostPID" => self.dangerous(at, "hostPID"),
                "hostIPC" => self.dangerous(at, "hostIPC"),
                "nodeName" => self.dangerous(at, "nodeName"),
                "priorityClassName" => self.dangerous(at, "priorityClassName"),
                "runtimeClassName" => self.dangerous(at, "runtimeClassName"),
                "schedulerName" => self.dangerous(at, "schedulerName"),
                "shareProcessNamespace" => self.dangerous(at, "shareProcessNamespace"),
                "dnsConfig" => self.dangerous(at, "dnsConfig"),
                "hostAliases" => self.dangerous(at, "hostAliases"),
                _ => return None,
            })
        })
    }
}
