//! Owners of failures.

use crate::names;

names! {
    /// Who can act on a failure.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(
        feature = "json",
        derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema),
        serde(rename_all = "kebab-case")
    )]
    pub enum Owner {
        /// Who wrote the pipeline, or the code that it builds.
        Author = "author",
        /// Who wrote the plugin.
        Plugin = "plugin",
        /// Who runs the Google Cloud project.
        Cloud = "cloud",
        /// Who runs the cluster.
        Cluster = "cluster",
        /// Who runs Sidestep here: settings, policy, the machine.
        Operator = "operator",
        /// Us: a bug.
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
