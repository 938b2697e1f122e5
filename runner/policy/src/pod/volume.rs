//! Checks a pod's volumes, and the tokens that they project.

use serde_json::Value;

use super::{Check, Walk, text};

impl Walk<'_> {
    pub(super) fn volume(&self, at: &str, value: &Value) -> Check {
        self.fields(at, value, |key, at, value| {
            Some(match key {
                "name" | "emptyDir" | "downwardAPI" => Ok(()),
                "secret" => self.reference(at, value, Walk::secret),
                "configMap" => self.reference(at, value, Walk::config_map),
                "projected" => self.projected(at, value),
                "hostPath" => self.dangerous(at, "hostPath"),
                kind if crate::kubernetes::VOLUMES.contains(&kind) => {
                    self.named(at, "volumes", "kind of volume", kind)
                }
                _ => return None,
            })
        })
    }

    fn projected(&self, at: &str, value: &Value) -> Check {
        self.fields(at, value, |key, at, value| {
            Some(match key {
                "defaultMode" => Ok(()),
                "sources" => self.each(at, value, |at, source| {
                    self.fields(at, source, |key, at, value| {
                        Some(match key {
                            "downwardAPI" => Ok(()),
                            "secret" => self.reference(at, value, Walk::secret),
                            "configMap" => self.reference(at, value, Walk::config_map),
                            "serviceAccountToken" => self.token(at, value),
                            _ => return None,
                        })
                    })
                }),
                _ => return None,
            })
        })
    }

    fn token(&self, at: &str, value: &Value) -> Check {
        self.fields(at, value, |key, at, value| {
            Some(match key {
                "path" | "expirationSeconds" => Ok(()),
                "audience" => text(at, value)
                    .and_then(|audience| self.named(at, "audiences", "token audience", audience)),
                _ => return None,
            })
        })?;
        if value.get("audience").is_none() {
            // Without an audience, the token is for the cluster's own API server.
            return self.named(at, "audiences", "token audience", "kubernetes");
        }
        Ok(())
    }
}
