//! Classes of failures.

use crate::names;

names! {
    /// The kind of failure. Closed to people; a reader takes a name that it doesn't know as `failed`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(
        feature = "json",
        derive(serde::Serialize, schemars::JsonSchema),
        serde(rename_all = "kebab-case")
    )]
    pub enum Class {
        /// What was asked for makes no sense.
        InvalidInput = "invalid-input",
        /// Our gate's or the policy's no.
        Refused = "refused",
        /// The cloud's or the cluster's no.
        Denied = "denied",
        /// It isn't there.
        NotFound = "not-found",
        /// Somebody else changed it, or it is there already.
        Conflict = "conflict",
        /// The other side can't answer now; trying again may help.
        Unavailable = "unavailable",
        /// A limit, a quota or a resource is used up.
        Exhausted = "exhausted",
        /// It took too long.
        TimedOut = "timed-out",
        /// It was stopped on purpose.
        Cancelled = "cancelled",
        /// It was tried and did not work.
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
