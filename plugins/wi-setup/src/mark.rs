//! The record of what this plugin made, in an annotation of the Kubernetes service account. Removal
//! takes back only what it lists.

use sidestep::serde_json;

use crate::identity::Workload;
use crate::plan::Change;

/// The annotation.
pub(crate) const ANNOTATION: &str = "sidestep.dev/wi-setup";

/// A record of changes, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    made: Vec<String>,
}

impl Mark {
    /// Parses the annotation. A text that is not a record lists nothing: nothing is taken back
    /// because of it.
    pub(crate) fn read(text: &str) -> Self {
        Self {
            made: serde_json::from_str(text).unwrap_or_default(),
        }
    }

    /// Returns the annotation's text.
    pub(crate) fn text(&self) -> String {
        serde_json::json!(self.made).to_string()
    }

    /// Returns the record with more changes.
    pub(crate) fn and<'c>(mut self, changes: impl IntoIterator<Item = &'c Change>) -> Self {
        for change in changes {
            let id = change.id();
            if let Change::Annotate { to, .. } = change {
                // There is one annotation, so a new value replaces the record of the former one.
                self.made.retain(|made| !made.starts_with("annotation "));
                if to.is_none() {
                    continue;
                }
            }
            if !self.made.contains(&id) {
                self.made.push(id);
            }
        }
        self
    }

    /// Returns the record without a change.
    pub(crate) fn without(mut self, change: &Change) -> Self {
        let id = change.id();
        self.made.retain(|made| *made != id);
        self
    }

    /// Returns whether a change was made.
    pub(crate) fn has(&self, change: &Change) -> bool {
        self.made.contains(&change.id())
    }

    /// Returns the names of the changes.
    pub(crate) fn made(&self) -> &[String] {
        &self.made
    }

    /// Returns whether nothing was made.
    pub(crate) fn is_empty(&self) -> bool {
        self.made.is_empty()
    }
}

/// Returns the description of a Google service account that this plugin creates. IAM accepts at most
/// 256 bytes (`projects.serviceAccounts`, `description`).
pub(crate) fn description(workload: &Workload) -> String {
    let text = format!(
        "Created by sidestep wi-setup for {} on {}",
        workload.name(),
        workload.cluster_name()
    );
    text.chars().filter(char::is_ascii).take(256).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_lists_each_change_once_and_is_read_back() {
        let changes = [Change::KubernetesAccount, Change::KubernetesAccount];
        let mark = Mark::default().and(&changes);
        assert_eq!(mark.text(), r#"["kubernetes-account"]"#);
        assert_eq!(Mark::read(&mark.text()), mark);
        assert!(mark.has(&Change::KubernetesAccount));
        assert!(mark.without(&Change::KubernetesAccount).is_empty());
    }

    #[test]
    fn only_the_present_annotation_is_recorded() {
        let annotate = |to: Option<&str>| Change::Annotate {
            from: None,
            to: to.map(str::to_owned),
        };
        let mark = Mark::default().and(&[annotate(Some("a"))]);
        let mark = mark.and(&[annotate(Some("b"))]);
        assert_eq!(mark.made(), ["annotation b"]);
        assert!(mark.and(&[annotate(None)]).is_empty());
    }

    #[test]
    fn another_text_lists_nothing() {
        for text in ["", "yes", "{}", "[1]"] {
            assert!(Mark::read(text).is_empty(), "{text}");
        }
    }
}
