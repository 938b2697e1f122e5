//! Every limit that holds a step, a plugin or a file, with its default, the setting that changes
//! it, and the code of the failure that names it.

use std::time::Duration;

use sidestep_catalog::{MAX_COMPONENT, MAX_MANIFEST};
use sidestep_engine::{Ceilings, RunOptions};
use sidestep_host::{CompileLimits, EvaluationLimits, Limits};
use sidestep_pipeline::{MAX_EXPRESSION, MAX_INSTANCES};
use sidestep_policy::tree;
use sidestep_report::{bytes, duration};

use crate::settings::known::{self, Known};

/// A limit, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit {
    /// What is limited, and of what.
    pub(crate) what: &'static str,
    /// How much there may be unless a setting says otherwise.
    pub(crate) default: String,
    /// The setting that changes it; none if nothing does.
    pub(crate) setting: Option<&'static str>,
    /// The code of what is said past it.
    pub(crate) code: &'static str,
}

/// Returns all of them, the step's first.
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
    let compiling = "plugin.compile-limit";
    vec![
        limit(
            "memory of a plugin",
            size(step.memory),
            "plugin.out-of-memory",
        ),
        limit(
            "elements of a plugin's table",
            step.table_elements.to_string(),
            "plugin.trapped",
        ),
        limit(
            "what one host call brings",
            size(step.call_bytes),
            "plugin.stopped",
        ),
        limit(
            "host calls of an attempt",
            step.step.host_calls.to_string(),
            "limit.host-calls",
        ),
        limit(
            "the host's memory for an attempt's calls",
            bytes(step.step.host_memory),
            "limit.host-memory",
        ),
        limit(
            "handles of an attempt",
            step.step.handles.to_string(),
            "plugin.stopped",
        ),
        limit(
            "what an attempt logs",
            bytes(step.step.log_bytes),
            "log.full",
        ),
        set(
            known::JOURNAL_LIMIT,
            limit("a run's journal", bytes(run.journal), "journal.full"),
        ),
        set(
            known::LOG_LIMIT,
            limit("a run's log files", bytes(run.logs), "log.full"),
        ),
        set(
            known::MEMORY,
            limit(
                "memory of all steps at once",
                "half of the machine's".to_owned(),
                "step.no-room",
            ),
        ),
        limit(
            "a step's outputs",
            size(step.output_bytes),
            "output.too-large",
        ),
        limit(
            "grace after a cancel",
            time(RunOptions::default().cancel_grace),
            "run.cancelled",
        ),
        limit("grace after a time-out", time(step.grace), "step.timed-out"),
        limit("a plugin's file", size(MAX_COMPONENT), "plugin.too-large"),
        limit("a plugin's manifest", size(MAX_MANIFEST), "plugin.manifest"),
        limit(
            "core instances of a plugin",
            sidestep_catalog::MAX_INSTANCES.to_string(),
            "plugin.too-complex",
        ),
        set(
            known::COMPILE_TIME,
            limit("time to compile a plugin", time(compile.time), compiling),
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
            "yaml.too-large",
        ),
        limit(
            "nesting of a pipeline or policy file",
            tree::MAX_DEPTH.to_string(),
            "yaml.too-deep",
        ),
        limit("an expression", size(MAX_EXPRESSION), "expression.syntax"),
        limit(
            "steps of evaluating an expression or a schema",
            evaluation.steps.to_string(),
            "expression.budget",
        ),
        limit(
            "memory of evaluating an expression or a schema",
            size(evaluation.memory),
            "expression.budget",
        ),
        limit(
            "step instances of a run",
            MAX_INSTANCES.to_string(),
            "pipeline.too-many",
        ),
    ]
}
