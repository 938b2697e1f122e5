//! The objects and files that crashed runs left behind, and what happened to them.

use sidestep_capabilities::kubernetes::Deletion;
use sidestep_events::{Failure, Foreign, Going};
use sidestep_state::RunFolder;

/// An object or file that was left behind, and what happened to it.
#[derive(Debug)]
pub struct Finding {
    /// The kind: `pod`, `object`, `folder`, `lock`, `compiled plugin`.
    pub kind: Foreign,
    /// The name and location.
    pub name: Foreign,
    /// The cluster that it is in, if it is in one. Two clusters can have objects with one name.
    pub(crate) cluster: Option<String>,
    /// The run that it belongs to, if known.
    pub run: Option<Foreign>,
    /// The reason why it counts as left behind, or why it is kept.
    pub why: Foreign,
    /// The action that was taken.
    pub fate: Fate,
}

/// The action that was taken on a finding.
#[derive(Debug)]
pub enum Fate {
    /// The object was removed.
    Removed,
    /// The object's deletion was accepted and is still in progress.
    Going(Going),
    /// The object would be removed if this were not a dry run.
    WouldRemove,
    /// The run was moved to a name that no command looks for.
    SetAside,
    /// The run would be set aside if this were not a dry run.
    WouldSetAside,
    /// The object was kept.
    Kept,
    /// The object could not be removed or checked.
    Failed(Failure),
}

impl Finding {
    /// Returns a finding about a run as a whole.
    pub(crate) fn of_run(folder: &RunFolder, why: impl Into<Foreign>, fate: Fate) -> Self {
        Self {
            kind: "run".into(),
            name: folder.path().into(),
            cluster: None,
            run: Some(folder.id().as_str().into()),
            why: why.into(),
            fate,
        }
    }

    /// Returns whether both findings are about the same object.
    pub(crate) fn is_about_the_object_of(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name && self.cluster == other.cluster
    }

    pub(crate) fn fate_of(dry_run: bool, removed: Result<(), Failure>) -> Fate {
        match removed {
            Err(failure) => Fate::Failed(failure),
            Ok(()) if dry_run => Fate::WouldRemove,
            Ok(()) => Fate::Removed,
        }
    }

    pub(crate) fn fate_of_pod(deletion: Result<Deletion, Failure>) -> Fate {
        match deletion {
            Err(failure) => Fate::Failed(failure),
            Ok(Deletion::Gone) => Fate::Removed,
            Ok(Deletion::Going { object, .. }) => Fate::Going(object),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_two_clusters_are_two_objects() {
        let pod = |cluster: &str| Finding {
            kind: "pod".into(),
            name: "builds/ss-1".into(),
            cluster: Some(cluster.to_owned()),
            run: None,
            why: "it expired".into(),
            fate: Fate::Kept,
        };
        assert!(pod("one").is_about_the_object_of(&pod("one")));
        assert!(!pod("one").is_about_the_object_of(&pod("two")));
    }
}
