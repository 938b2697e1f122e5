use std::sync::Arc;

use serde_json::Value;
use sidestep_events::{
    Event, Exit, Failure, ForeignValue, Intent, RunFinished, Status, WarningRaised, codes, commands,
};
use sidestep_state::History;
use tokio::time::Instant;

use crate::leftovers::DETACHED;
use crate::recorder::{Recorder, Scope};
use crate::schedule::Schedule;
use crate::shared::{Shared, millis};
use crate::start::Start;
use crate::{Cleaner, Executor, Program, RunOptions, RunView, Stop, StopReason};

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// The run's status; `running` when it was detached.
    pub status: Status,
    /// The exit code of the process.
    pub exit: Exit,
    /// The pipeline's outputs, if the run succeeded.
    pub outputs: Option<Value>,
}

/// Runs a program to its end, or resumes it after `history`.
///
/// Instances that succeeded before keep their outputs. An attempt that never ended resumes in a new
/// incarnation. All other instances that did not succeed run again. The recorder is closed at the
/// end, so that the reports end too.
pub async fn run(
    program: Arc<dyn Program>,
    recorder: Arc<Recorder>,
    history: &History,
    executor: Arc<dyn Executor>,
    cleaner: Arc<dyn Cleaner>,
    options: RunOptions,
    stop: Stop,
) -> RunEnd {
    let began = Instant::now();
    let shared = Arc::new(Shared::new(recorder.clone(), executor, cleaner, options));
    let mut started = program.describe();
    started.resumed = history.started.is_some();
    recorder.emit(&Scope::run(), Event::RunStarted(started));
    sweep(&program, history, &shared).await;

    let mut schedule = Schedule::new(program.clone(), shared.clone(), history, stop.clone());
    schedule.drive(false).await;
    if !stop.detaches() && !matches!(stop.reason(), Some(StopReason::Broken(_))) {
        schedule.drive(true).await;
        let passed_over = |intent: &Intent| schedule.passed_over(&intent.instance, intent.attempt);
        shared.clean_up(&Scope::run(), passed_over).await;
    }
    let view = schedule.into_view();
    let end = if stop.detaches() {
        detached(&recorder, &stop)
    } else {
        if let Some(StopReason::Broken(failure)) = stop.reason() {
            // No step failed because of it, so nothing else reports why the run ends.
            recorder.emit(&Scope::run(), Event::Warning(warning(failure)));
            tell_lost(&recorder);
        }
        let mut end = judge(&program, &view, &stop, &shared.left());
        let outputs = outputs(&program, &view, &recorder, &mut end);
        recorder.emit(
            &Scope::run(),
            Event::RunFinished(RunFinished {
                status: end.status,
                exit: end.exit.code(),
                outputs: outputs.map(ForeignValue::from),
                duration_ms: millis(began.elapsed()),
            }),
        );
        end
    };
    recorder.close();
    // The last record may have been the one that broke the journal.
    match stop.reason() {
        Some(StopReason::Broken(failure)) if end.status == Status::Succeeded => RunEnd {
            status: Status::Failed,
            exit: Exit::of_failure(&failure),
            outputs: None,
        },
        _ => end,
    }
}

/// Removes the objects that earlier processes of this run left behind, except those that a resumed
/// attempt still uses.
async fn sweep(program: &Arc<dyn Program>, history: &History, shared: &Shared) {
    let going_on = |instance: &str, attempt: u32| {
        program.nodes().iter().any(|node| node.instance == instance)
            && Start::after(history.instances.get(instance)).owns(attempt)
    };
    let over = |intent: &Intent| !going_on(&intent.instance, intent.attempt);
    shared.clean_up(&Scope::run(), over).await;
}

/// Returns the run's status and exit code, from its instances, the reason it was stopped, and the
/// objects that could not be removed. A run that succeeded otherwise must not hide those.
fn judge(program: &Arc<dyn Program>, view: &RunView, stop: &Stop, left: &[Failure]) -> RunEnd {
    let failed = view
        .nodes
        .iter()
        .filter(|node| matches!(node.status, Status::Failed | Status::TimedOut))
        .filter_map(|node| node.failure.as_ref());
    let mut exits: Vec<_> = failed.map(Exit::of_failure).collect();
    let status = match stop.reason() {
        Some(StopReason::Asked { exit, .. }) => {
            exits.push(exit);
            Status::Cancelled
        }
        Some(StopReason::TimedOut) => {
            exits.push(Exit::TimedOut);
            Status::TimedOut
        }
        Some(StopReason::Broken(failure)) => {
            exits.push(Exit::of_failure(&failure));
            Status::Failed
        }
        None if exits.is_empty() && left.is_empty() => Status::Succeeded,
        None if exits.is_empty() => {
            exits.extend(left.iter().map(Exit::of_failure));
            Status::Failed
        }
        None => Status::Failed,
    };
    debug_assert_eq!(view.nodes.len(), program.nodes().len());
    RunEnd {
        status,
        exit: Exit::first(exits),
        outputs: None,
    }
}

fn outputs(
    program: &Arc<dyn Program>,
    view: &RunView,
    recorder: &Recorder,
    end: &mut RunEnd,
) -> Option<Value> {
    if end.status != Status::Succeeded {
        return None;
    }
    match program.outputs(view) {
        Ok(outputs) => {
            end.outputs.clone_from(&outputs);
            outputs
        }
        Err(failure) => {
            end.status = Status::Failed;
            end.exit = Exit::of_failure(&failure);
            recorder.emit(&Scope::run(), Event::Warning(warning(failure)));
            None
        }
    }
}

/// Warns about lines that reached neither the journal nor a reporter.
fn tell_lost(recorder: &Recorder) {
    let message = match recorder.lost_lines() {
        0 => return,
        1 => "1 log line was lost".to_owned(),
        lost => format!("{lost} log lines were lost"),
    };
    let warning = WarningRaised {
        code: codes::state::LINES_LOST.into(),
        message: format!(
            "{message}: the journal could no longer be written, and the output was not read in \
             time"
        )
        .into(),
        help: Vec::new(),
    };
    recorder.emit(&Scope::run(), Event::Warning(warning));
}

fn detached(recorder: &Recorder, stop: &Stop) -> RunEnd {
    let left = recorder.open_intents(|_| true).len();
    let objects = match left {
        0 => "no objects of the run are left".to_owned(),
        1 => "1 object of the run was not removed".to_owned(),
        left => format!("{left} objects of the run were not removed"),
    };
    recorder.emit(
        &Scope::run(),
        Event::Warning(WarningRaised {
            code: DETACHED.into(),
            message: format!("detached: {objects}").into(),
            help: commands::resume(recorder.run())
                .into_iter()
                .map(Into::into)
                .collect(),
        }),
    );
    RunEnd {
        status: Status::Running,
        exit: match stop.reason() {
            Some(StopReason::Asked { exit, .. }) => exit,
            _ => Exit::Cancelled,
        },
        outputs: None,
    }
}

fn warning(failure: Failure) -> WarningRaised {
    WarningRaised {
        code: failure.code,
        message: failure.message,
        help: failure.help,
    }
}
