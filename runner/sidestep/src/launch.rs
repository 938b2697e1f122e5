//! Running what was prepared, or going on with what was begun.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sidestep_engine::{Facts, HostExecutor, PlanProgram, Recorder, RunOptions, Stop, run};
use sidestep_events::{Class, Exit, Failure, Header, JOURNAL_VERSION, Owner};
use sidestep_host::Plugin;
use sidestep_pipeline::Plan;
use sidestep_report::{Hint, plain_text};
use sidestep_sandbox::DEVELOPER;
use sidestep_state::{History, JournalWriter, RunFolder, RunId, RunLock, StateError};

use crate::cli::{Format, RunFlags};
use crate::cloud::Cloud;
use crate::commands::Session;
use crate::equipment::Equipment;
use crate::error::CommandError;
use crate::gc::sweep_expired;
use crate::signals::Signals;
use crate::{output, reporters};

/// The plan's name in the run's folder.
const PLAN: &str = "plan.json";

/// What is to be run, and how it is shown.
pub(crate) struct Launch {
    pub(crate) plan: Plan,
    pub(crate) plugins: HashMap<String, Plugin>,
    /// What the run works against.
    pub(crate) cloud: Cloud,
    pub(crate) format: Format,
    pub(crate) hints: Vec<Hint>,
}

/// An opened run.
pub(crate) struct Place {
    pub(crate) folder: RunFolder,
    pub(crate) lock: RunLock,
    pub(crate) journal: JournalWriter,
    pub(crate) history: History,
    /// What the run was begun with.
    pub(crate) header: Header,
}

impl Place {
    /// Makes the run's place, or goes on with the run of that id that never ended.
    ///
    /// `asked` says that the user chose the id: then a run that ended is in the way. An id of the
    /// CI's own gets a number instead.
    pub(crate) fn take(
        session: &Session,
        launch: &Launch,
        id: &RunId,
        asked: bool,
    ) -> Result<Self, CommandError> {
        let runs = session.runs();
        let mut id = id.clone();
        let first = id.clone();
        for time in 2.. {
            let folder = match runs.open(&id) {
                Ok(folder) => folder,
                Err(StateError::NotFound { .. }) => break,
                Err(error) => return Err(error.into()),
            };
            if folder.summary()?.finished.is_none() {
                let place = Self::resume(&folder)?;
                same(launch, &place)?;
                // The process that began it may have been killed before it kept the plan.
                keep_plan(&place.folder, &launch.plan)?;
                return Ok(place);
            }
            if asked {
                return Err(CommandError::usage(
                    format!("run {id} has ended already"),
                    format!(
                        "choose another --run-id, or try again what did not succeed: sidestep resume {id}"
                    ),
                ));
            }
            id = first.again(time);
        }
        let header = Header {
            format: JOURNAL_VERSION,
            writer: format!("sidestep {}", env!("CARGO_PKG_VERSION")),
            run: id.to_string(),
            plan_digest: launch.plan.digest(),
            sandbox: launch.cloud.scenario().map(str::to_owned),
            caller: launch.cloud.caller().map(str::to_owned),
        };
        let (folder, lock, journal) = runs.create(&id, &header)?;
        keep_plan(&folder, &launch.plan)?;
        Ok(Self {
            folder,
            lock,
            journal,
            history: History::default(),
            header,
        })
    }

    /// Goes on with a run.
    pub(crate) fn resume(folder: &RunFolder) -> Result<Self, CommandError> {
        let lock = folder.lock()?;
        let (journal, account) = folder.resume(&lock)?;
        Ok(Self {
            folder: folder.clone(),
            lock,
            journal,
            history: account.history,
            header: account.header,
        })
    }
}

/// Whether a run that never ended was begun as it is to be gone on with.
fn same(launch: &Launch, place: &Place) -> Result<(), CommandError> {
    let id = place.folder.id();
    let Header {
        plan_digest,
        sandbox,
        caller,
        ..
    } = &place.header;
    let begun = if *plan_digest != launch.plan.digest() {
        "with another plan: the file, an input or a plugin has changed since".to_owned()
    } else if sandbox.as_deref() != launch.cloud.scenario() {
        match sandbox {
            Some(scenario) => format!("in the sandbox `{scenario}`"),
            None => "against Google Cloud".to_owned(),
        }
    } else if caller.as_deref() != launch.cloud.caller() {
        format!("as {}", caller.as_deref().unwrap_or(DEVELOPER))
    } else {
        return Ok(());
    };
    Err(CommandError::usage(
        format!("run {id} is not finished, and was begun {begun}"),
        format!(
            "finish it as it was begun with `sidestep resume {id}`, or choose another --run-id"
        ),
    ))
}

fn keep_plan(folder: &RunFolder, plan: &Plan) -> Result<(), CommandError> {
    let plan = serde_json::to_vec(plan)
        .map_err(|error| Failure::bug(format!("the plan can't be written: {error}")))?;
    Ok(folder.write_document(PLAN, &plan)?)
}

/// The plan that a run was begun with.
pub(crate) fn read_plan(folder: &RunFolder) -> Result<Plan, CommandError> {
    let bytes = match folder.read_document(PLAN) {
        Err(StateError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            let id = folder.id();
            let message = format!("run {id} was killed before it began: nothing was started");
            return Err(
                Failure::new(Class::NotFound, "state.no-plan", Owner::Operator, message)
                    .with_help(format!("Start it again: sidestep run --run-id {id}"))
                    .into(),
            );
        }
        read => read?,
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("the plan of run {} can't be read: {error}", folder.id());
        Failure::new(Class::Failed, "state.damaged", Owner::Operator, message)
            .with_help("It may have been begun by another version of sidestep; use that one.")
            .into()
    })
}

/// Runs it to its end, shows it, and answers the exit code.
pub(crate) async fn launch(
    session: &Session,
    launch: Launch,
    place: Place,
    flags: &RunFlags,
) -> Result<Exit, CommandError> {
    let settings = &session.settings;
    let max_parallel = flags
        .max_parallel
        .map(|most| (most.get(), "--max-parallel"));
    let max_parallel = settings.flag("maxParallel", &settings.max_parallel, max_parallel);
    let on_terminate = flags.on_terminate.map(|what| (what, "--on-terminate"));
    let on_terminate = settings.flag("onTerminate", &settings.on_terminate, on_terminate);

    let plan = Arc::new(launch.plan);
    let equipment = Equipment::new(
        session,
        &plan.secrets,
        Some(&launch.cloud),
        place.folder.id().as_str(),
        !plan.policies.is_empty(),
    )
    .await?;
    if let Some(clients) = &equipment.clients {
        let quiet = session.global.quiet;
        for swept in sweep_expired(clients, &session.runs(), &plan).await {
            if !quiet {
                let what = format!("{} {} ({})", swept.kind, swept.name, swept.why);
                output::note(&format!("removed: {}", plain_text(&what)));
            }
        }
    }
    let stop = Stop::new();
    let signals = Signals::watch(stop.clone(), on_terminate.value)
        .map_err(|error| Failure::bug(format!("signals can't be watched: {error}")))?;
    let traceparent = std::env::var("TRACEPARENT").ok();
    let run_id = place.folder.id().to_string();
    let (recorder, reports) = Recorder::new(
        place.folder,
        place.journal,
        &place.history,
        traceparent.as_deref(),
        stop.clone(),
    );
    let reporter = reporters::pick(launch.format, &session.global, session.look(), launch.hints);
    let reporting = reporters::spawn(reports, reporter);
    let facts = Facts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        file: Some(plan.file.clone()),
        sandbox: launch.cloud.scenario().map(str::to_owned),
    };
    let options = RunOptions {
        max_parallel: plan.max_parallel.map_or(max_parallel.value, |most| {
            max_parallel.value.min(most as usize)
        }),
        timeout: plan.timeout_ms.map(Duration::from_millis),
        ..RunOptions::default()
    };
    let executor = HostExecutor {
        run: run_id.clone(),
        plan: plan.clone(),
        plugins: launch.plugins,
        services: equipment.services,
        masks: equipment.masks,
    };
    let end = run(
        Arc::new(PlanProgram::new(plan, facts)?),
        Arc::new(recorder),
        &place.history,
        Arc::new(executor),
        equipment.cleaner,
        options,
        stop,
    )
    .await;
    drop(place.lock);
    // The last lines are shown before the process ends, if somebody reads them.
    tokio::select! {
        shown = tokio::task::spawn_blocking(move || reporting.join()) => match shown {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(error))) => {
                output::note(&format!("not all of it could be shown: {error}"));
            }
            Ok(Err(_)) | Err(_) => {
                output::note("what was to be shown was lost; `sidestep logs` has it");
            }
        },
        exit = signals.next_after_the_end() => {
            let id = &run_id;
            output::note_shortly(&format!(
                "The run is over; not all of it was shown: sidestep runs show {id}, sidestep logs {id}"
            ));
            return Ok(exit);
        }
    }
    Ok(end.exit)
}
