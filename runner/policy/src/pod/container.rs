//! Checks a pod's containers: images, references, and privileges.

use serde_json::Value;

use super::{Check, Walk, only_false, refuse, text};

/// The default capabilities of container runtimes (containerd's and Docker's default set).
const DEFAULT_CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

impl Walk<'_> {
    pub(super) fn container(&self, at: &str, value: &Value) -> Check {
        self.fields(at, value, |key, at, value| {
            Some(match key {
                "name"
                | "imagePullPolicy"
                | "command"
                | "args"
                | "workingDir"
                | "resources"
                | "volumeMounts"
                | "terminationMessagePath"
                | "terminationMessagePolicy"
                | "restartPolicy" => Ok(()),
                "image" => {
                    text(at, value).and_then(|image| self.named(at, "images", "image", image))
                }
                "env" => self.each(at, value, |at, v| self.env(at, v)),
                "envFrom" => self.each(at, value, |at, v| self.env_from(at, v)),
                "ports" => self.each(at, value, |at, v| self.port(at, v)),
                "securityContext" => self.security(at, value),
                "lifecycle" => self.dangerous(at, "lifecycle"),
                _ => return None,
            })
        })?;
        if value.get("image").is_none() {
            return Err(refuse(
                &format!("{at}.image"),
                "a container must name its image",
            ));
        }
        Ok(())
    }

    fn env(&self, at: &str, value: &Value) -> Check {
        self.fields(at, value, |key, at, value| {
            Some(match key {
                "name" | "value" => Ok(()),
                "valueFrom" => self.fields(at, value, |key, at, value| {
                    Some(match key {
                        "fieldRef" | "resourceFieldRef" => Ok(()),
                        "secretKeyRef" => self.reference(at, value, Walk::secret),
                        "configMapKeyRef" => self.reference(at, value, Walk::config_map),
                        _ => return None,
                    })
                }),
                _ => return None,
            })
        })
    }

    fn env_from(&self, at: &str, value: &Value) -> Check {
        self.fields(at, value, |key, at, value| {
            Some(match key {
                "prefix" => Ok(()),
                "secretRef" => self.reference(at, value, Walk::secret),
                "configMapRef" => self.reference(at, value, Walk::config_map),
                _ => return None,
            })
        })
    }

    /// Checks a reference by `name` (or a Secret volume's `secretName`) and its other fields, which
    /// must be harmless.
    pub(super) fn reference(
        &self,
        at: &str,
        value: &Value,
        check: fn(&Self, &str, &Value) -> Check,
    ) -> Check {
        self.fields(at, value, |key, at, value| {
            Some(match key {
                "name" | "secretName" => check(self, at, value),
                "key" | "optional" | "items" | "defaultMode" => Ok(()),
                _ => return None,
            })
        })?;
        if value
            .get("name")
            .or_else(|| value.get("secretName"))
            .is_none()
        {
            return Err(refuse(at, "the reference has no name"));
        }
        Ok(())
    }

    fn port(&self, at: &str, value: &Value) -> Check {
        self.fields(at, value, |key, at, value| {
            Some(match key {
                "name" | "containerPort" | "protocol" => Ok(()),
                "hostPort" if value == 0 => Ok(()),
                "hostPort" | "hostIP" => self.dangerous(at, "hostPort"),
                _ => return None,
            })
        })
    }

    pub(super) fn security(&self, at: &str, value: &Value) -> Check {
        self.fields(at, value, |key, at, value| {
            Some(match key {
                "runAsUser"
                | "runAsGroup"
                | "runAsNonRoot"
                | "fsGroup"
                | "fsGroupChangePolicy"
                | "supplementalGroups"
                | "allowPrivilegeEscalation"
                | "readOnlyRootFilesystem" => Ok(()),
                "privileged" if only_false(value) => Ok(()),
                "privileged" => self.dangerous(at, "privileged"),
                "seccompProfile" if value.get("type").is_some_and(|t| t == "RuntimeDefault") => {
                    Ok(())
                }
                "seccompProfile" => self.dangerous(at, "seccompUnconfined"),
                "capabilities" => self.fields(at, value, |key, at, value| {
                    Some(match key {
                        "drop" => Ok(()),
                        "add" => self.each(at, value, |at, capability| {
                            let name = text(at, capability)?;
                            if DEFAULT_CAPABILITIES.contains(&name) {
                                return Ok(());
                            }
                            self.dangerous(at, "capabilities")
                        }),
                        _ => return None,
                    })
                }),
                _ => return None,
            })
        })
    }
}
