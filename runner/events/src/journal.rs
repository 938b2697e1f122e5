use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Envelope, Foreign, Lines};

/// The version of the journal format that is written.
pub const JOURNAL_VERSION: u32 = 3;

/// A journal's first record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// The format's version. Readers refuse a newer one.
    pub format: u32,
    /// The program and version that wrote it.
    pub writer: String,
    /// The run's id.
    pub run: String,
    /// `sha256:` of the plan that the run executes.
    pub plan_digest: String,
    /// The sandbox scenario that the run uses; absent when it runs against the real cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// The caller of the sandbox, if it is not the developer. A resumed run keeps the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// The workspace that the run was started in, as an absolute path. The run is resumed only
    /// there. Absent in the journals of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

/// One record after the header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", content = "data", rename_all = "kebab-case")]
pub enum Record {
    /// An event, as reporters saw it.
    Event(Box<Envelope>),
    /// Log lines, each of them an event that reporters saw.
    Lines(Box<Lines>),
    /// An external object is about to be created.
    Intent(Intent),
    /// The external object was created or removed.
    Done(Done),
    /// The state that a plugin keeps across incarnations.
    Checkpoint(Checkpoint),
    /// A step's outputs.
    Output(Output),
}

/// Names one intent within its run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct IntentId(pub u64);

/// An external object that is about to be created, so that a later process can find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Its id, counted from 1 within the run.
    pub id: IntentId,
    /// The step instance that creates it.
    pub instance: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Its kind: `pod`, `secret`, `object`.
    pub kind: Foreign,
    /// Its location.
    #[serde(rename = "where")]
    pub location: Location,
    /// Its name in that location, a function of run, instance, attempt and purpose.
    pub name: Foreign,
    /// The action of the host on it when the attempt ends.
    pub on_exit: OnExit,
    /// The time after which it may be removed in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Timestamp>,
}

/// The location of an external object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "in", rename_all = "camelCase")]
pub enum Location {
    /// A namespace of a cluster.
    Cluster {
        /// The cluster's resource name, or the operator's name for it.
        cluster: String,
        /// The namespace.
        namespace: String,
    },
    /// A Cloud Storage bucket.
    Bucket {
        /// The bucket's name, without `gs://`.
        bucket: String,
    },
    /// An image repository.
    Repository {
        /// Host and path, without tag.
        repository: String,
    },
    /// A Google Cloud project.
    Project {
        /// The project's id.
        project: String,
    },
}

/// The action of the host on an external object when the attempt that created it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnExit {
    /// Delete it.
    Delete,
    /// Keep it: it is the step's result.
    Keep,
}

/// An intent's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// The id of the intent.
    pub intent: IntentId,
    /// The object's uid or generation; absent if no object was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether the object was removed.
    #[serde(default)]
    pub removed: bool,
}

/// The state that a plugin keeps: JSON, at most 64 KiB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// The step instance.
    pub instance: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The plugin's own state.
    pub state: Value,
}

/// A step's outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The step instance.
    pub instance: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The outputs by name.
    pub outputs: Value,
}
