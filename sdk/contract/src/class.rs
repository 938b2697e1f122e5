//! Classes of failures.

use crate::names;

names! {
    /// The kind of failure. Plugins can't add kinds; a reader treats an unknown name as `failed`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(
        feature = "json",
        derive(serde::Serialize, schemars::JsonSchema),
        serde(rename_all = "kebab-case")
    )]
    pub enum Class {
        /// The request is not valid.
        InvalidInput = "invalid-input",
        /// Sidestep's gate or the policy refused the request.
        Refused = "refused",
        /// The cloud or the cluster denied the request.
        Denied = "denied",
        /// The resource does not exist.
        NotFound = "not-found",
        /// Another client changed the resource, or it already exists.
        Conflict = "conflict",
        /// The service can't answer now; a retry may help.
        Unavailable = "unavailable",
        /// A limit, a quota or a resource is used up.
        Exhausted = "exhausted",
        /// The operation took too long.
        TimedOut = "timed-out",
        /// The operation was stopped on purpose.
        Cancelled = "cancelled",
        /// The operation was tried and failed.
        Failed = "failed",
    }
}

impl Class {
    /// Returns the class with this name, or `failed` for a name that this version does not know.
    pub fn from_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == name)
            .unwrap_or(Self::Failed)
    }
}

#[cfg(feature = "json")]
impl<'de> serde::Deserialize<'de> for Class {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_name(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_read_back() {
        for class in Class::ALL {
            let json = serde_json::to_value(class).expect("a plain enum");
            assert_eq!(json, class.as_str());
            assert_eq!(
                serde_json::from_value::<Class>(json).expect("its own name"),
                class
            );
        }
    }
}
