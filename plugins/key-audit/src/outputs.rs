//! The step's outputs.

use sidestep::serde_json::Value;

/// The findings.
#[sidestep::data]
#[derive(Debug, PartialEq)]
pub(crate) struct Outputs {
    /// The findings: keys first.
    pub findings: Vec<Finding>,
    /// The number of Kubernetes objects that were looked at.
    pub objects: u32,
    /// The number of files that were searched.
    pub files: u32,
    /// The findings in the form `format`.
    pub lines: Vec<String>,
}

/// One finding.
#[sidestep::data]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    /// Its rule.
    pub rule: Rule,
    /// The place: a file's path, or an object as `KIND NAMESPACE/NAME`.
    pub place: String,
    /// The line in the file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The sentence for people.
    pub message: String,
    /// The Google service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The key's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The workloads that use the key, as `KIND NAMESPACE/NAME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<String>,
    /// The steps from the present state to one without the key, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migration: Vec<Move>,
}

/// One step of a migration.
#[sidestep::data]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Move {
    /// The action.
    pub text: String,
    /// The command for it, as one line for a POSIX shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The inputs of `sidestep/wi-setup` that do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wi_setup: Option<Value>,
}

/// The rule of a finding.
#[sidestep::data]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// A Secret, or another object, holds a key of a Google service account.
    KeyInObject,
    /// A Secret holds a key as the password of a registry (`_json_key`).
    RegistryKey,
    /// A file of the workspace holds a key.
    KeyInFile,
    /// A Secret or a file holds the credentials of a user.
    UserCredentials,
    /// A PKCS #12 archive: the form of Google's older keys.
    Pkcs12,
    /// A workload sets `GOOGLE_APPLICATION_CREDENTIALS` to a file of a Secret that was not searched.
    KeyFileUnknown,
    /// A workload uses Google APIs as the account of its node.
    NodeAccount,
    /// An annotation names no Google service account, or is where it has no effect.
    Annotation,
    /// Something could not be searched.
    CannotTell,
}

impl Rule {
    /// Returns the rule's id.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::KeyInObject => "key-in-object",
            Self::RegistryKey => "registry-key",
            Self::KeyInFile => "key-in-file",
            Self::UserCredentials => "user-credentials",
            Self::Pkcs12 => "pkcs12",
            Self::KeyFileUnknown => "key-file-unknown",
            Self::NodeAccount => "node-account",
            Self::Annotation => "annotation",
            Self::CannotTell => "cannot-tell",
        }
    }

    /// Returns a sentence about the rule.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::KeyInObject => "A Kubernetes object holds a key of a Google service account.",
            Self::RegistryKey => "A pull secret holds a key of a Google service account.",
            Self::KeyInFile => "A file holds a key of a Google service account.",
            Self::UserCredentials => "The credentials of a user are stored.",
            Self::Pkcs12 => "A PKCS #12 archive may be a key of a Google service account.",
            Self::KeyFileUnknown => {
                "A workload reads credentials from a file that was not searched."
            }
            Self::NodeAccount => "A workload uses Google APIs as the account of its node.",
            Self::Annotation => "An annotation for Workload Identity has no effect.",
            Self::CannotTell => "Something could not be searched.",
        }
    }

    /// Returns whether it is certainly a long-lived credential.
    pub(crate) fn is_key(self) -> bool {
        matches!(
            self,
            Self::KeyInObject | Self::RegistryKey | Self::KeyInFile | Self::UserCredentials
        )
    }
}
