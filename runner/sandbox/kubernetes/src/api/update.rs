//! Replacing and patching of objects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::body::{self, Strictness};
use super::create::{Creation, create};
use crate::defaults;
use crate::key::Key;
use crate::kinds::Kind;
use crate::patch::{self, apply, apply::Manager};
use crate::status::ApiError;
use crate::store::Transaction;
use crate::validate;

/// A write to an existing object.
pub(crate) struct Update<'a> {
    pub(crate) kind: &'static Kind,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    /// Empty, or `status`.
    pub(crate) subresource: &'a str,
    pub(crate) manager: &'a Manager,
    pub(crate) strictness: Strictness,
    pub(crate) ca: &'a str,
}

/// A patch by its media type.
pub(crate) enum Patch {
    Json(Value),
    Merge(Value),
    Strategic(Value),
    Apply { wish: Value, force: bool },
}

/// The result of a write: the object, whether it is new, and warnings for the client.
pub(crate) struct Written {
    pub(crate) object: Arc<Value>,
    pub(crate) created: bool,
    pub(crate) warnings: Vec<http::HeaderValue>,
}

impl Update<'_> {
    fn key(&self) -> Key {
        Key::new(self.kind.plural, self.namespace, self.name)
    }

    fn current(&self, tx: &Transaction<'_>) -> Result<Arc<Value>, ApiError> {
        tx.get(&self.key())
            .ok_or_else(|| ApiError::not_found(self.kind, self.name))
    }

    /// Handles `PUT`.
    pub(crate) fn replace(
        &self,
        tx: &mut Transaction<'_>,
        mut new: Value,
    ) -> Result<Written, ApiError> {
        let old = self.current(tx)?;
        let warnings = body::check(self.kind, &mut new, self.strictness)?;
        match new["metadata"]["name"].as_str() {
            None | Some("") => {
                if !new["metadata"].is_object() {
                    new["metadata"] = json!({});
                }
                new["metadata"]["name"] = self.name.into();
            }
            Some(name) if name != self.name => {
                return Err(self.misnamed(name));
            }
            Some(_) => {}
        }
        if self.kind.namespaced && new["metadata"]["namespace"].is_null() {
            new["metadata"]["namespace"] = self.namespace.into();
        }
        let object = self.save(tx, &old, new, true)?;
        Ok(Written {
            object,
            created: false,
            warnings,
        })
    }

    /// Handles `PATCH`.
    pub(crate) fn patch(
        &self,
        tx: &mut Transaction<'_>,
        patch: Patch,
    ) -> Result<Written, ApiError> {
        let key = self.key();
        let (old, record) = match (&patch, tx.get(&key)) {
            (Patch::Apply { wish, force }, None) => return self.apply_new(tx, wish, *force),
            (_, None) => return Err(ApiError::not_found(self.kind, self.name)),
            (patch, Some(old)) => (old, !matches!(patch, Patch::Apply { .. })),
        };
        let mut new = (*old).clone();
        match patch {
            Patch::Json(operations) => patch::json(&mut new, operations)?,
            Patch::Merge(wish) => patch::merge(&mut new, &wish)?,
            Patch::Strategic(wish) => patch::strategic::strategic(&mut new, &wish)?,
            Patch::Apply { mut wish, force } => {
                self.applicable(&wish)?;
                body::check(self.kind, &mut wish, self.strictness)?;
                self.identity(&mut wish);
                if let Some(version) = wish["metadata"]["resourceVersion"].as_str()
                    && old["metadata"]["resourceVersion"] != version
                {
                    return Err(ApiError::stale(self.kind, self.name));
                }
                new = apply::apply(&old, &wish, self.manager, force)?;
                new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
            }
        }
        let warnings = body::check(self.kind, &mut new, self.strictness)?;
        if let Some(name) = new["metadata"]["name"].as_str()
            && name != self.name
        {
            return Err(self.misnamed(name));
        }
        let object = self.save(tx, &old, new, record)?;
        Ok(Written {
            object,
            created: false,
            warnings,
        })
    }

    fn misnamed(&self, name: &str) -> ApiError {
        ApiError::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            self.name
        ))
    }

    /// Checks what the server requires of an applied object: its kind, no managed fields, and no
    /// field that the schema does not have.
    fn applicable(&self, wish: &Value) -> Result<(), ApiError> {
        let text = |field: &str| wish[field].as_str().unwrap_or_default();
        let (version, kind) = (text("apiVersion"), text("kind"));
        let typed = if version.contains('/') {
            format!("{version}, Kind={kind}")
        } else {
            format!("/{version}, Kind={kind}")
        };
        if version != self.kind.api_version() || kind != self.kind.kind {
            return Err(ApiError::bad_request(format!(
                "invalid object type: {typed}"
            )));
        }
        if !wish["metadata"]["managedFields"].is_null() {
            return Err(ApiError::bad_request("metadata.managedFields must be nil"));
        }
        let Some(field) = body::undeclared(self.kind, wish) else {
            return Ok(());
        };
        let meta = |field: &str| wish["metadata"][field].as_str().unwrap_or_default();
        Err(ApiError::new(
            http::StatusCode::INTERNAL_SERVER_ERROR,
            "",
            format!(
                "failed to create typed patch object ({}/{}; {typed}): .{field}: field not \
                 declared in schema",
                meta("namespace"),
                meta("name")
            ),
        ))
    }

    fn identity(&self, wish: &mut Value) {
        wish["metadata"]["name"] = self.name.into();
        if self.kind.namespaced {
            wish["metadata"]["namespace"] = self.namespace.into();
        }
    }

    fn apply_new(
        &self,
        tx: &mut Transaction<'_>,
        wish: &Value,
        force: bool,
    ) -> Result<Written, ApiError> {
        if !self.subresource.is_empty() {
            return Err(ApiError::not_found(self.kind, self.name));
        }
        self.applicable(wish)?;
        let mut wish = wish.clone();
        let warnings = body::check(self.kind, &mut wish, self.strictness)?;
        if !wish["metadata"]["uid"].is_null() {
            return Err(ApiError::conflict(
                self.kind,
                self.name,
                &format!(
                    "uid mismatch: the provided object specified uid {}, and no existing object \
                     was found",
                    wish["metadata"]["uid"].as_str().unwrap_or_default()
                ),
            ));
        }
        self.identity(&mut wish);
        let object = apply::apply(&Value::Null, &wish, self.manager, force)?;
        let creation = Creation {
            kind: self.kind,
            namespace: self.namespace,
            manager: None,
            ca: self.ca,
        };
        let object = create(tx, &creation, object)?;
        Ok(Written {
            object,
            created: true,
            warnings,
        })
    }

    fn save(
        &self,
        tx: &mut Transaction<'_>,
        old: &Value,
        mut new: Value,
        record: bool,
    ) -> Result<Arc<Value>, ApiError> {
        let (before, meta) = (&old["metadata"], &new["metadata"]);
        let version = &meta["resourceVersion"];
        if version.as_str().is_some_and(|v| !v.is_empty()) && *version != before["resourceVersion"]
        {
            return Err(ApiError::stale(self.kind, self.name));
        }
        if let Some(uid) = meta["uid"].as_str().filter(|u| !u.is_empty())
            && before["uid"] != uid
        {
            return Err(ApiError::conflict(
                self.kind,
                self.name,
                &format!(
                    "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                    before["uid"].as_str().unwrap_or_default()
                ),
            ));
        }
        // Fields that only the server writes are left unchanged.
        for field in [
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "resourceVersion",
        ] {
            if before[field].is_null() {
                if let Some(map) = new["metadata"].as_object_mut() {
                    map.shift_remove(field);
                }
            } else {
                new["metadata"][field] = before[field].clone();
            }
        }
        if self.subresource == "status" {
            let mut whole = old.clone();
            whole["status"] = new["status"].take();
            whole["metadata"]["managedFields"] = new["metadata"]["managedFields"].take();
            new = whole;
        } else {
            defaults::fill(self.kind.plural, &mut new);
            if old["status"].is_null() {
                if let Some(map) = new.as_object_mut() {
                    map.shift_remove("status");
                }
            } else {
                new["status"] = old["status"].clone();
            }
            if self.kind.plural == "namespaces" {
                new["spec"] = old["spec"].clone();
            }
        }
        defaults::without_empty(&mut new["metadata"]);
        validate::update(self.kind, old, &new)?;
        if record {
            apply::record(old, &mut new, self.manager);
        }
        if new["metadata"]["managedFields"].is_null()
            && let Some(map) = new["metadata"].as_object_mut()
        {
            map.shift_remove("managedFields");
        }
        let key = self.key();
        let released = !new["metadata"]["deletionTimestamp"].is_null()
            && self.kind.plural != "namespaces"
            && new["metadata"]["finalizers"]
                .as_array()
                .is_none_or(Vec::is_empty)
            && old["metadata"]["finalizers"]
                .as_array()
                .is_some_and(|f| !f.is_empty())
            && new["metadata"]["deletionGracePeriodSeconds"]
                .as_i64()
                .unwrap_or(0)
                == 0;
        let saved = tx.put(&key, new)?;
        if released {
            tx.remove(&key)?;
        }
        Ok(saved)
    }
}
