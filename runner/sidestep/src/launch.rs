//! Running what was prepared, or going on with what was begun.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use sidestep_engine::{
    Ceilings, Facts, HostExecutor, PlanProgram, Recorder, RunOptions, Stop, StopReason, run,
};
use sidestep_events::{Exit, Failure, commands, show};
use sidestep_host::Plugin;
use sidestep_pipeline::Plan;
use sidestep_report::{Hint, going};

use crate::cli::{Format, RunFlags};
use crate::cloud::Cloud;
use crate::commands::Session;
use crate::environment;
use crate::equipment::Equipment;
use crate::error::CommandError;
use crate::gc::{Fate, sweep_expired};
use crate::place::Place;
use crate::settings::known;
use crate::signals::Signals;
use crate::{output, reporters};

/// How long what a run said is still shown after it was asked to end, and did.
const SHOWING: Duration = Duration::from_secs(5);

/// What is to be run, and how it is shown.
pub(crate) struct Launch {
    pub(crate) plan: Plan,
    pub(crate) plugins: HashMap<String, Plugin>,
    /// What the run works against.
    pub(crate) cloud: Cloud,
    pub(crate) format: Format,
    pub(crate) hints: Vec<Hint>,
}

/// Runs it to its end, shows it, and answers the exit code.
pub(crate) async fn launch(
    session: &Session,
    launch: Launch,
    place: Place,
    flags: &RunFlags,
) -> Result<Exit, CommandError> {
    let settings = &session.settings;
    let max_parallel = settings.flag(
        &known::MAX_PARALLEL,
        &settings.max_parallel,
        flags.max_parallel.map(NonZero::get),
    );
    let on_terminate = settings.flag(
        &known::ON_TERMINATE,
        &settings.on_terminate,
        flags.on_terminate,
    );

    let plan = Arc::new(launch.plan);
    let plan_digest = plan.digest();
    let equipment = Equipment::new(
        session,
        &plan.secrets,
        Some(&launch.cloud),
        place.folder.id().as_str(),
        &plan_digest,
        !plan.policies.is_empty(),
    )
    .await?;
    if let Some(clients) = &equipment.clients {
        let quiet = session.global.quiet;
        for swept in sweep_expired(clients, &session.runs()?, &plan).await {
            if !quiet {
                let kind = show::line(&swept.kind);
                let (name, why) = (show::line(&swept.name), show::line(&swept.why));
                let what = match &swept.fate {
                    Fate::Going(object) => going(object),
                    _ => "removed".to_owned(),
                };
                output::note(&format!("{what}: {kind} {name} ({why})"));
            }
        }
    }
    let stop = Stop::new();
    let signals = Signals::watch(stop.clone(), on_terminate.value, session.inherited)
        .map_err(|error| Failure::bug(format!("signals can't be watched: {error}")))?;
    let traceparent = environment::get("TRACEPARENT");
    let run_id = place.folder.id().to_string();
    let (recorder, reports) = Recorder::new(
        place.folder,
        place.journal,
        &place.history,
        traceparent.as_deref(),
        stop.clone(),
        Ceilings {
            journal: settings.journal_limit.value.0,
            logs: settings.log_limit.value.0,
        },
        plan.instances.len(),
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
    let stopped = stop.clone();
    let executor = HostExecutor {
        run: run_id.clone(),
        plan: plan.clone(),
        plan_digest,
        plugins: launch.plugins,
        evaluator: Arc::clone(&session.evaluator),
        services: equipment.services,
        masks: equipment.masks,
        room: Arc::clone(&session.room),
    };
    let end = run(
        Arc::new(PlanProgram::new(plan, facts, &session.evaluator)?),
        recorder,
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
            not_all_shown(&run_id);
            return Ok(exit);
        }
        // Who asked it to end need not ask again because nobody reads.
        () = tokio::time::sleep(SHOWING), if matches!(stopped.reason(), Some(StopReason::Asked { .. })) => {
            not_all_shown(&run_id);
        }
    }
    Ok(end.exit)
}

fn not_all_shown(run: &str) {
    output::note_shortly(&format!(
        "The run is over; not all of it was shown: {}, {}",
        show::command_or_nothing(commands::show_run(run).as_ref()),
        show::command_or_nothing(commands::logs(run, None).as_ref())
    ));
}
