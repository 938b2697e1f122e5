//! The owners of copies.

use super::Parts;
use crate::{
    build::{Build, Built},
    copy,
};

impl Build<'_, '_, '_> {
    /// Returns the owner of the copies: the user in `--chown`, or, for files from the context, the
    /// one in `USER`. It is an error if the image does not have the user, unless parts of the image
    /// are missing.
    pub(super) fn owner(
        &self,
        built: &mut Built,
        parts: &Parts,
    ) -> Result<Option<(u64, u64)>, String> {
        match &parts.owner {
            Some(name) => {
                let preface = if parts.from_context {
                    "getting user group from chown: "
                } else {
                    ""
                };
                self.known_user(name, preface, built).map(Some)
            }
            None if parts.from_context => self.current_user(built).map(Some),
            None => Ok(None),
        }
    }

    /// Returns the user and group that `USER` names, or root.
    pub(crate) fn current_user(&self, built: &mut Built) -> Result<(u64, u64), String> {
        let user = built.image.settings().get("User");
        let user = user.and_then(serde_json::Value::as_str).unwrap_or_default();
        if user.is_empty() {
            return Ok((0, 0));
        }
        let user = user.to_owned();
        let preface = format!("identifying uid and gid for user {user}: ");
        self.known_user(&user, &preface, built)
    }

    fn known_user(&self, name: &str, preface: &str, built: &Built) -> Result<(u64, u64), String> {
        if let Some(owner) = copy::owner(name, &built.image.files) {
            return Ok(owner);
        }
        if built.gaps.is_empty() {
            let user = name.split(':').next().unwrap_or_default();
            return Err(format!(
                "{preface}user {user} is not a uid and does not exist on the system"
            ));
        }
        self.log.warn(&format!(
            "sandbox: the image has no user {name}: its files belong to root"
        ));
        Ok((0, 0))
    }
}
