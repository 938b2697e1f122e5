//! `RUN`: the checks that do not run anything.

use crate::{build::Build, scope::Scope};
use sidestep_dockerfile::{Instruction, Mount};

impl Build<'_, '_, '_> {
    /// Logs kaniko's messages about a line's flags and mounts, and fails where kaniko fails.
    pub(crate) fn flags_of_run(
        &self,
        instruction: &Instruction,
        scope: &Scope,
    ) -> Result<(), String> {
        let mut mounts = Vec::new();
        for flag in instruction.flags.iter().filter(|flag| flag.name == "mount") {
            let value = flag.value.as_deref().unwrap_or_default();
            let mount = Mount::parse(value, &|name| scope.value(name));
            mounts.push(mount.map_err(|why| {
                format!("error building stage: failed to get files used from context: {why}")
            })?);
        }
        for flag in instruction.flags.iter().filter(|flag| flag.name != "mount") {
            self.log.warn(&format!("#969 kaniko does not support '--{}' flags in RUN statements - relying on unsupported flags can lead to invalid builds", flag.name));
        }
        for mount in mounts {
            let secret = mount.secret().unwrap_or_default();
            match (mount.kind.as_str(), &mount.from) {
                ("cache", _) | ("bind", None) => {}
                ("bind", Some(from)) if from.is_empty() || from == "context" => {}
                ("bind", Some(from)) => self.log.warn(&format!(
                    "Kaniko does not support cross-stage bind mounts (from={from}) - skipping"
                )),
                ("secret", _) if self.flags.secrets.iter().any(|(id, _)| *id == secret) => {}
                ("secret", _) if mount.required => {
                    return Err(format!(
                        "error building stage: failed to execute command: secret not defined: {secret}"
                    ));
                }
                ("secret", _) => self
                    .log
                    .info(&format!("skip mounting {secret:?} as it is not available")),
                (kind, _) => self.log.warn(&format!("Kaniko does not support '--mount=type={kind}' flags in RUN statements - relying on unsupported flags can lead to invalid builds")),
            }
        }
        Ok(())
    }
}
