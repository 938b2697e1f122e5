//! All limits on a step, a plugin or a file, each with its default, the setting that changes it,
//! and the code of the failure when it is exceeded.

use std::time::Duration;

use sidestep_catalog::{MAX_COMPONENT, MAX_MANIFEST};
use sidestep_engine::{Ceilings, RunOptions};
use sidestep_events::codes;
use sidestep_host::{CompileLimits, EvaluationLimits, Limits};
use sidestep_pipeline::{MAX_EXPRESSION, MAX_INSTANCES};
use sidestep_policy::tree;
use sidestep_report::{bytes, duration};

use crate::settings::known::{self, Known};

/// A limit, described for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The limited quantity and its scope.
    pub(crate) what: &'static str,
    /// The default value.
    pub(crate) default: String,
    /// The setting that changes it, if there is one.
    pub(crate) setting: Option<&'static str>,
    /// The code of the failure when it is exceeded.
    pub(crate) code: &'static str,
}

/// Returns all limits, those of a step first.
pub(crate) fn all() -> Vec<Limit> {
    let step = Limits::default();
    let limit = |what, default: String, code| Limit {
        what,
        default,
        setting: None,
        code,
    };
    let size = |size: usize| bytes(size as u64);
    let time = |time: Duration| duration(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let (run, compile) = (Ceilings::default(), CompileLimits::default());
    let evaluation = EvaluationLimits::default();
    let set = |setting: Known, limit: Limit| Limit {
        setting: Some(setting.name),
        ..limit
    };
    let compiling = codes::plugin::COMPILE_LIMIT;
    vec![
        limit(
            "memory of a plugin",
            size(step.memory),
            codes::plugin::OUT_OF_MEMORY,
        ),
        limit(
            "elements of a plugin's table",
            step.table_elements.to_string(),
            codes::plugin::TRAPPED,
        ),
        limit(
            "result of one host call",
            size(step.call_bytes),
            codes::plugin::STOPPED,
        ),
        limit(
            "host calls of an attempt",
            step.step.host_calls.to_string(),
            codes::limit::HOST_CALLS,
        ),
        limit(
            "the host's memory for an attempt's calls",
            bytes(step.step.host_memory),
            codes::limit::HOST_MEMORY,
        ),
        limit(
            "disk space of an attempt's blobs",
            bytes(step.step.disk),
            codes::limit::DISK,
        ),
        limit(
            "handles of an attempt",
            step.step.handles.to_string(),
            codes::plugin::STOPPED,
        ),
        limit(
            "log text of an attempt",
            bytes(step.step.log_bytes),
            codes::log::FULL,
        ),
        set(
            known::JOURNAL_LIMIT,
            limit("a run's journal", bytes(run.journal), codes::journal::FULL),
        ),
        set(
            known::LOG_LIMIT,
            limit("a run's log files", bytes(run.logs), codes::log::FULL),
        ),
        set(
            known::MEMORY,
            limit(
                "memory of all steps at once",
                "half of the machine's".to_owned(),
                codes::step::NO_ROOM,
            ),
        ),
        limit(
            "a step's outputs",
            size(step.output_bytes),
            codes::output::TOO_LARGE,
        ),
        limit(
            "grace period after a cancel",
            time(RunOptions::default().cancel_grace),
            codes::run::CANCELLED,
        ),
        limit(
            "grace period after a timeout",
            time(step.grace),
            codes::step::TIMED_OUT,
        ),
        limit(
            "a plugin's file",
            size(MAX_COMPONENT),
            codes::plugin::TOO_LARGE,
        ),
        limit(
            "a plugin's manifest",
            size(MAX_MANIFEST),
            codes::plugin::MANIFEST,
        ),
        limit(
            "core instances of a plugin",
            sidestep_catalog::MAX_INSTANCES.to_string(),
            codes::plugin::TOO_COMPLEX,
        ),
        set(
            known::COMPILE_TIME,
            limit(
                "CPU time to compile a plugin",
                time(compile.time),
                compiling,
            ),
        ),
        set(
            known::COMPILE_MEMORY,
            limit(
                "memory to compile a plugin",
                bytes(compile.memory),
                compiling,
            ),
        ),
        limit(
            "a pipeline or policy file",
            size(tree::MAX_BYTES),
            codes::yaml::TOO_LARGE,
        ),
        limit(
            "nesting of a pipeline or policy file",
            tree::MAX_DEPTH.to_string(),
            codes::yaml::TOO_DEEP,
        ),
        limit(
            "an expression",
            size(MAX_EXPRESSION),
            codes::expression::SYNTAX,
        ),
        limit(
            "steps to evaluate an expression or a schema",
            evaluation.steps.to_string(),
            codes::expression::BUDGET,
        ),
        limit(
            "memory to evaluate an expression or a schema",
            size(evaluation.memory),
            codes::expression::BUDGET,
        ),
        limit(
            "step instances of a run",
            MAX_INSTANCES.to_string(),
            codes::pipeline::TOO_MANY,
        ),
    ]
}
