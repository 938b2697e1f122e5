//! Owners of failures.

use crate::names;

names! {
    /// The party that can act on a failure.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(
        feature = "json",
        derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema),
        serde(rename_all = "kebab-case")
    )]
    pub enum Owner {
        /// The author of the pipeline, or of the code that it builds.
        Author = "author",
        /// The author of the plugin.
        Plugin = "plugin",
        /// The administrator of the Google Cloud project.
        Cloud = "cloud",
        /// The administrator of the cluster.
        Cluster = "cluster",
        /// The operator of Sidestep: its settings, its policy and its machine.
        Operator = "operator",
        /// The maintainers of Sidestep: the failure is a bug.
        Sidestep = "sidestep",
    }
}

impl Owner {
    /// Returns the owner with this name, or `None` for an unknown name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|owner| owner.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_owner_is_read_back() {
        for owner in Owner::ALL {
            let json = serde_json::to_value(owner).expect("a plain enum");
            assert_eq!(json, owner.as_str());
            assert_eq!(Owner::from_name(owner.as_str()), Some(owner));
        }
    }
}
