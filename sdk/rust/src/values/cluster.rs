//! A cluster's name.

use std::fmt;
use std::str::FromStr;

use super::text::{ParseValueError, text_value};

/// A GKE cluster (`projects/P/locations/L/clusters/C`), or a name that the
/// operator's settings map to a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cluster(String);

text_value!(Cluster, "cluster", None);

impl Cluster {
    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The project's id, of a GKE cluster.
    pub fn project(&self) -> Option<&str> {
        self.parts().map(|[project, _, _]| project)
    }

    /// The location, of a GKE cluster.
    pub fn location(&self) -> Option<&str> {
        self.parts().map(|[_, location, _]| location)
    }

    /// The cluster's own name, of a GKE cluster.
    pub fn name(&self) -> Option<&str> {
        self.parts().map(|[_, _, name]| name)
    }

    /// The cluster in the commands of gcloud. None for a name that only the operator's settings
    /// map to a cluster.
    pub fn gke(&self) -> Option<sidestep_contract::google::Cluster> {
        sidestep_contract::google::Cluster::read(&self.0)
    }

    fn parts(&self) -> Option<[&str; 3]> {
        match *self.0.split('/').collect::<Vec<_>>() {
            ["projects", project, "locations", location, "clusters", name] => {
                Some([project, location, name])
            }
            _ => None,
        }
    }
}

impl FromStr for Cluster {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        let cluster = Self(text.to_owned());
        let full = cluster
            .parts()
            .is_some_and(|parts| parts.iter().all(|part| !part.is_empty()));
        let short = !text.is_empty() && !text.contains(['/', ' ']);
        if full || short {
            Ok(cluster)
        } else {
            Err(ParseValueError::new(
                "projects/P/locations/L/clusters/C or a mapped name",
                text,
            ))
        }
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
        let short: Cluster = "staging".parse().expect("a mapped name");
        assert_eq!((short.project(), short.as_str()), (None, "staging"));
    }

    #[test]
    fn refuses_what_is_neither() {
        for text in ["", "projects/p", "projects//locations/l/clusters/c", "a b"] {
            assert!(text.parse::<Cluster>().is_err(), "{text}");
        }
    }
}
