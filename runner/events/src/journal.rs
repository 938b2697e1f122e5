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
    /// The format's version; a newer one is refused by name.
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
    /// Whom the run calls the sandbox as, where that is not its developer: whoever goes on with
    /// the run is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
}

/// One record after the header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", content = "data", rename_all = "kebab-case")]
pub enum Record {
    /// An event, as reporters saw it.
    Event(Box<Envelope>),
    /// Log lines, each of them an event that reporters saw.
    Lines(Box<Lines>),
    /// An outside object is about to be made.
    Intent(Intent),
    /// The outside object was made, or is gone again.
    Done(Done),
    /// What a plugin wants to remember across incarnations.
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

/// What is about to be made outside, so that whoever comes next finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Its id, counted from 1 within the run.
    pub id: IntentId,
    /// The step instance that wants it.
    pub instance: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// What it is: `pod`, `secret`, `object`.
    pub kind: Foreign,
    /// Where it will be.
    #[serde(rename = "where")]
    pub place: Place,
    /// Its name there, a function of run, instance, attempt and purpose.
    pub name: Foreign,
    /// What the host does with it when the attempt ends.
    pub on_exit: OnExit,
    /// When it may be swept whatever happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Timestamp>,
}

/// Where an outside object lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "in", rename_all = "camelCase")]
pub enum Place {
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

/// What the host does with an outside object when the attempt that made it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnExit {
    /// Delete it.
    Delete,
    /// Leave it: it is the step's result.
    Keep,
}

/// An intent's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// Which intent.
    pub intent: IntentId,
    /// The object's uid or generation; absent when nothing was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether the object is gone again.
    #[serde(default)]
    pub removed: bool,
}

/// What a plugin wants to remember: JSON, 64 KiB at most.
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
