//! Checks the resource limits of a pod.

use serde_json::Value;

use super::{Check, Walk, refuse};
use crate::field::Limit;
use crate::quantity;

impl Walk<'_> {
    /// Checks that each container sets limits, and that no limit or request exceeds the scope's.
    pub(super) fn amounts(&self, spec: &Value) -> Check {
        let Some(Limit::AtMost(caps)) = self.scope.limits().get("limits") else {
            return Ok(());
        };
        for group in ["containers", "initContainers"] {
            let containers = spec.get(group).and_then(Value::as_array);
            for (index, container) in containers.into_iter().flatten().enumerate() {
                for (name, cap) in caps {
                    for kind in ["limits", "requests"] {
                        let at = format!("spec.{group}[{index}].resources.{kind}.{name}");
                        let value = container
                            .get("resources")
                            .and_then(|all| all.get(kind)?.get(name));
                        match value {
                            None if kind == "requests" => {}
                            None => {
                                return Err(refuse(
                                    &at,
                                    format!(
                                        "the scope allows at most {cap} of {name}; set this amount \
                                         for the container"
                                    ),
                                ));
                            }
                            Some(value) => {
                                let amount = quantity::amount(value).ok_or_else(|| {
                                    refuse(&at, format!("{value} is not a valid amount"))
                                })?;
                                if amount > *cap {
                                    return Err(refuse(
                                        &at,
                                        format!(
                                            "{amount} of {name} is more than the scope's maximum \
                                             of {cap}"
                                        ),
                                    ));
                                }
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
