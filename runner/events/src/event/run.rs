//! The events at the beginning and the end of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Foreign, ForeignValue, PluginRef, Status};

/// The start of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunStarted {
    /// The pipeline's name.
    pub pipeline: Foreign,
    /// The file that it was read from, relative to the workspace; absent for an embedded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Foreign>,
    /// The runner's version.
    pub version: Foreign,
    /// `sha256:` of the plan.
    pub plan_digest: Foreign,
    /// The sandbox scenario; absent against the real cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Foreign>,
    /// Whether an earlier process started this run.
    pub resumed: bool,
    /// The plan's steps, in the order of the file.
    pub steps: Vec<PlannedStep>,
}

/// A step of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// Its id in the file.
    pub id: Foreign,
    /// Its instance.
    pub instance: Foreign,
    /// The plugin.
    pub uses: PluginRef,
    /// `sha256:` of the plugin's bytes.
    pub plugin_digest: Foreign,
    /// The ids of the steps that it waits for.
    pub needs: Vec<Foreign>,
    /// The capabilities that it may use.
    pub grants: Vec<PlannedGrant>,
}

/// One capability that a step may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedGrant {
    /// The capability's grant key.
    pub capability: Foreign,
    /// The scopes, as text for people: `read services/api/**`.
    pub scopes: Vec<Foreign>,
    /// The source of the grant.
    pub source: GrantSource,
}

/// The source of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GrantSource {
    /// A built-in plugin's own request.
    BuiltIn,
    /// The pipeline's `grants`.
    Pipeline,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunFinished {
    /// The final status.
    pub status: Status,
    /// The exit code of the process.
    pub exit: u8,
    /// The pipeline's outputs, if the run succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<ForeignValue>,
    /// The duration, in milliseconds.
    pub duration_ms: u64,
}
