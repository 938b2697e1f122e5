use semver::Version;
use sidestep_events::codes;

use crate::PluginError;

/// The range of versions of `sidestep:step` that a runner supports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRange {
    /// The oldest supported version.
    pub oldest: Version,
    /// The newest supported version. Later patch and minor versions may have features that this
    /// runner lacks.
    pub newest: Version,
}

impl ApiRange {
    /// Returns the versions that this runner supports.
    pub fn supported() -> Self {
        Self {
            oldest: Version::new(0, 1, 0),
            newest: Version::new(0, 1, 0),
        }
    }

    /// Checks that a plugin built for that API version can run here.
    pub fn check(&self, wanted: &str) -> Result<(), PluginError> {
        let Ok(version) = Version::parse(wanted) else {
            return Err(PluginError::new(
                codes::plugin::MANIFEST,
                format!("its manifest's apiVersion is `{wanted}`, which is not a version"),
            )
            .with_help("build the plugin again with the SDK"));
        };
        let says = format!(
            "it needs API {wanted}; this runner supports {} to {}",
            self.oldest, self.newest
        );
        if version > self.newest {
            return Err(PluginError::new(codes::plugin::API, says)
                .with_help("update Sidestep, or use a version of the plugin that was built for an API of this runner"));
        }
        if version < self.oldest {
            return Err(PluginError::new(codes::plugin::API, says)
                .with_help("update the plugin: build it again with the current SDK"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_names_both_sides_and_the_way_out() {
        let range = ApiRange {
            oldest: Version::new(1, 0, 0),
            newest: Version::new(2, 1, 0),
        };
        assert_eq!(range.check("2.0.7"), Ok(()));
        let newer = range.check("2.2.0").expect_err("too new");
        assert_eq!(
            newer.message,
            "it needs API 2.2.0; this runner supports 1.0.0 to 2.1.0"
        );
        assert!(newer.help[0].starts_with("update Sidestep"), "{newer:?}");
        let older = range.check("0.9.0").expect_err("too old");
        assert!(older.help[0].starts_with("update the plugin"), "{older:?}");
        assert_eq!(
            range.check("two").expect_err("none").code,
            "plugin.manifest"
        );
    }
}
