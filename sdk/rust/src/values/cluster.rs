//! A cluster's name.

use std::fmt;
use std::str::FromStr;

use sidestep_contract::google;

use super::text::{ParseValueError, text_value};

/// A GKE cluster (`projects/P/locations/L/clusters/C`), or a name that the
/// operator's settings map to a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cluster {
    text: String,
    gke: Option<google::Cluster>,
}

text_value!(Cluster, "cluster", None);

impl Cluster {
    /// Returns the name as it was written.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Cluster;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let cluster: Cluster = "staging".parse()?;
    /// assert_eq!(cluster.as_str(), "staging");
    /// # Ok(())
    /// # }
    /// ```
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the project's id, of a GKE cluster.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Cluster;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let cluster: Cluster = "projects/demo/locations/europe-west1/clusters/ci".parse()?;
    /// assert_eq!(cluster.project(), Some("demo"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn project(&self) -> Option<&str> {
        self.gke.as_ref().map(|gke| gke.project.as_str())
    }

    /// Returns the location, of a GKE cluster.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Cluster;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let cluster: Cluster = "projects/demo/locations/europe-west1/clusters/ci".parse()?;
    /// assert_eq!(cluster.location(), Some("europe-west1"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn location(&self) -> Option<&str> {
        self.gke.as_ref().map(|gke| gke.location.as_str())
    }

    /// Returns the cluster's short name, of a GKE cluster.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Cluster;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let cluster: Cluster = "projects/demo/locations/europe-west1/clusters/ci".parse()?;
    /// assert_eq!(cluster.name(), Some("ci"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.gke.as_ref().map(|gke| gke.name.as_str())
    }

    /// Returns the cluster for gcloud commands. `None` for a name that only the operator's settings
    /// map to a cluster.
    ///
    /// # Examples
    ///
    /// ```
    /// use sidestep::Cluster;
    ///
    /// # fn main() -> Result<(), sidestep::ParseValueError> {
    /// let cluster: Cluster = "staging".parse()?;
    /// assert!(cluster.gke().is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn gke(&self) -> Option<google::Cluster> {
        self.gke.clone()
    }
}

impl FromStr for Cluster {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        if google::Cluster::is_named_by(text) {
            Ok(Self {
                text: text.to_owned(),
                gke: google::Cluster::read(text),
            })
        } else {
            Err(ParseValueError::new(
                "projects/P/locations/L/clusters/C or a name from the settings",
                text,
            ))
        }
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        let full: Cluster = "projects/p/locations/l/clusters/c"
            .parse()
            .expect("a full name");
        assert_eq!(
            (full.project(), full.location(), full.name()),
            (Some("p"), Some("l"), Some("c"))
        );
        let short: Cluster = "staging".parse().expect("a name from the settings");
        assert_eq!((short.project(), short.as_str()), (None, "staging"));
    }

    #[test]
    fn refuses_what_is_neither() {
        for text in ["", "projects/p", "projects//locations/l/clusters/c", "a b"] {
            assert!(text.parse::<Cluster>().is_err(), "{text}");
        }
    }
}
