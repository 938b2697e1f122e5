//! Reads and describes the scopes of each capability.

use std::borrow::Cow;

use serde_json::{Map, Value};
use sidestep_contract::Capability;

use crate::field::Field;
use crate::limits::Limits;
use crate::{
    artifact_registry, artifacts, gke, http, iam, iam_write, identity, kubernetes, project,
    registry, secret_manager, secrets, storage, workspace,
};

/// The scopes of a capability.
pub(crate) trait Scoped: Copy {
    /// Returns the keys of its scopes.
    fn fields(self) -> &'static [Field];

    /// Describes in words what a scope with these limits covers.
    fn explain(self, limits: &Limits) -> String;

    /// Returns the keys of which a grant must have at least one.
    fn needs_one_of(self) -> Option<&'static [&'static str]>;

    /// Returns a scope's map. For a capability that only has names, the value may also be a name.
    fn map_of(self, value: &Value) -> Option<Cow<'_, Map<String, Value>>>;
}

/// Implements [`Scoped`] with the module of each capability.
macro_rules! scoped {
    ($($name:ident in $module:ident;)*) => {
        impl Scoped for Capability {
            fn fields(self) -> &'static [Field] {
                match self {
                    $(Self::$name => $module::FIELDS,)*
                }
            }

            fn explain(self, limits: &Limits) -> String {
                match self {
                    $(Self::$name => $module::explain(limits),)*
                }
            }

            fn needs_one_of(self) -> Option<&'static [&'static str]> {
                (self == Self::Iam).then_some(&["project", "resource"])
            }

            fn map_of(self, value: &Value) -> Option<Cow<'_, Map<String, Value>>> {
                match (value, self) {
                    (Value::Object(map), _) => Some(Cow::Borrowed(map)),
                    (Value::String(_), Self::Secrets | Self::Artifacts) => {
                        let mut map = Map::new();
                        map.insert("names".to_owned(), value.clone());
                        Some(Cow::Owned(map))
                    }
                    _ => None,
                }
            }
        }
    };
}

scoped! {
    Workspace in workspace;
    Storage in storage;
    Project in project;
    Iam in iam;
    IamWrite in iam_write;
    Gke in gke;
    ArtifactRegistry in artifact_registry;
    SecretManager in secret_manager;
    Identity in identity;
    Kubernetes in kubernetes;
    Registry in registry;
    Secrets in secrets;
    Artifacts in artifacts;
    Http in http;
}
