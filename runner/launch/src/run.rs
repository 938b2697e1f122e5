//! Runs a prepared plan, or resumes a run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sidestep_engine::{
    Ceilings, Cleaner, Facts, HostExecutor, PlanProgram, Recorder, Reports, RunEnd, RunOptions,
    Stop, run,
};
use sidestep_events::Failure;
use sidestep_host::Plugin;
use sidestep_pipeline::Plan;
use sidestep_state::{History, RunId, RunLock};

use crate::cloud::Cloud;
use crate::equipment::Equipment;
use crate::error::Error;
use crate::gc::sweep_expired;
use crate::locked_run::LockedRun;
use crate::site::{Note, Site};

/// The parameters of a run.
pub struct Launch {
    /// The plan.
    pub plan: Plan,
    /// The plan's plugins, by digest.
    pub plugins: HashMap<String, Plugin>,
    /// The cloud that the run works against.
    pub cloud: Cloud,
    /// The limits on the whole run.
    pub limits: RunLimits,
}

/// The limits on a whole run.
#[derive(Debug, Clone, Copy)]
pub struct RunLimits {
    /// The maximum number of steps that run in parallel, unless the pipeline sets a lower one.
    pub max_parallel: usize,
    /// The limits on what the run may write.
    pub ceilings: Ceilings,
}

/// A run with all its resources. No step was started yet.
pub struct Ready {
    plan: Arc<Plan>,
    launch: (HashMap<String, Plugin>, Cloud, RunLimits),
    run: LockedRun,
    equipment: Equipment,
}

/// A run with an open journal.
pub struct Opened {
    program: PlanProgram,
    recorder: Arc<Recorder>,
    history: History,
    executor: HostExecutor,
    cleaner: Arc<dyn Cleaner>,
    options: RunOptions,
    stop: Stop,
    lock: RunLock,
}

impl Launch {
    /// Resolves secrets, connects to the cloud, and removes expired objects of earlier runs.
    pub async fn ready(self, site: &Site, run: LockedRun) -> Result<Ready, Error> {
        let plan = Arc::new(self.plan);
        let equipment = Equipment::new(
            site,
            &plan.secrets,
            Some((&self.cloud, &run.header)),
            !plan.policies.is_empty(),
        )
        .await?;
        if let Some(clients) = &equipment.clients {
            for swept in sweep_expired(clients, &site.runs()?, &plan).await {
                site.notes.tell(Note::Swept(&swept));
            }
        }
        tracing::debug!(run = %run.folder.id(), "a run is ready to start");
        Ok(Ready {
            plan,
            launch: (self.plugins, self.cloud, self.limits),
            run,
            equipment,
        })
    }
}

impl Ready {
    /// Returns the id of the run.
    pub fn id(&self) -> &RunId {
        self.run.folder.id()
    }

    /// Opens the run's journal. The reports yield the run's events from here on; `stop` ends it.
    pub fn open(self, site: &Site, stop: Stop) -> Result<(Opened, Reports), Failure> {
        let Self {
            plan,
            launch: (plugins, cloud, limits),
            run,
            equipment,
        } = self;
        let traceparent = site.environment.get("TRACEPARENT");
        let run_id = run.folder.id().to_string();
        let plan_digest = run.header.plan_digest;
        let (recorder, reports) = Recorder::new(
            run.folder,
            run.journal,
            &run.history,
            traceparent.as_deref(),
            stop.clone(),
            limits.ceilings,
            plan.instances.len(),
        );
        let facts = Facts {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            file: Some(plan.file.clone()),
            sandbox: cloud.scenario().map(str::to_owned),
            plan_digest: plan_digest.clone(),
        };
        let most = limits.max_parallel;
        let options = RunOptions {
            max_parallel: plan
                .max_parallel
                .map_or(most, |asked| most.min(asked as usize)),
            timeout: plan.timeout_ms.map(Duration::from_millis),
            ..RunOptions::default()
        };
        let executor = HostExecutor {
            run: run_id,
            plan: Arc::clone(&plan),
            plan_digest,
            plugins,
            evaluator: Arc::clone(&site.evaluator),
            services: equipment.services,
            masks: equipment.masks,
            room: Arc::clone(&site.room),
        };
        let opened = Opened {
            program: PlanProgram::new(plan, facts, &site.evaluator)?,
            recorder,
            history: run.history,
            executor,
            cleaner: equipment.cleaner,
            options,
            stop,
            lock: run.lock,
        };
        Ok((opened, reports))
    }
}

impl Opened {
    /// Runs the plan to its end, and releases the run's lock.
    pub async fn run(self) -> RunEnd {
        let end = run(
            Arc::new(self.program),
            self.recorder,
            &self.history,
            Arc::new(self.executor),
            self.cleaner,
            self.options,
            self.stop,
        )
        .await;
        drop(self.lock);
        end
    }
}
