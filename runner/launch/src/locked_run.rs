//! The folder of a new or resumed run, locked for this process.

use sidestep_events::{Class, Failure, Header, JOURNAL_VERSION, Owner, codes, commands};
use sidestep_pipeline::Plan;
use sidestep_state::{
    Account, History, JournalWriter, LOCKED, RUN_KEY, RunFolder, RunId, RunLock, StateError,
};

use crate::cloud::Cloud;
use crate::error::Error;
use crate::origin;
use crate::site::Site;

/// The name of the plan's file in the run's folder.
const PLAN: &str = "plan.json";

/// An open run, locked for this process.
pub struct LockedRun {
    pub(crate) folder: RunFolder,
    pub(crate) lock: RunLock,
    pub(crate) journal: JournalWriter,
    pub(crate) history: History,
    /// The journal's header, with the parameters that the run was started with.
    pub header: Header,
}

impl LockedRun {
    /// Creates a run with this id, or resumes it if it exists and never ended.
    ///
    /// `asked` means that the user chose the id; then it is an error if the run has ended. An id
    /// from the CI system gets a numeric suffix instead.
    pub fn take(
        site: &Site,
        plan: &Plan,
        cloud: &Cloud,
        id: &RunId,
        asked: bool,
    ) -> Result<Self, Error> {
        let runs = site.runs()?;
        let mut id = id.clone();
        let first = id.clone();
        for time in 2.. {
            let folder = match runs.open(&id) {
                Ok(folder) => folder,
                Err(StateError::NotFound { .. }) => break,
                Err(error) => return Err(error.into()),
            };
            if folder.summary()?.finished.is_none() {
                let run = Self::resume(&folder).map_err(|error| held(error, asked))?;
                // Another process may have held the lock until now, and may have finished the run.
                if run.history.finished.is_none() {
                    same(site, plan, cloud, &run, asked)?;
                    // The process that started the run may have been killed before it stored the
                    // plan.
                    keep_plan(&run.folder, plan)?;
                    return Ok(run);
                }
            }
            if asked {
                return Err(Error::usage_with(
                    format!("run {id} has ended already"),
                    "choose another --run-id, or retry the steps that did not succeed:",
                    commands::resume(&id.to_string()),
                ));
            }
            id = first.again(time);
        }
        let header = Header {
            format: JOURNAL_VERSION,
            writer: format!("sidestep {}", env!("CARGO_PKG_VERSION")),
            run: id.to_string(),
            plan_digest: plan.digest(),
            sandbox: cloud.scenario().map(str::to_owned),
            caller: cloud.caller().map(str::to_owned),
            workspace: Some(origin::name_of(&site.workspace)),
        };
        let created = runs.create(&id, &header);
        let (folder, lock, journal) = created.map_err(|error| held(error.into(), asked))?;
        keep_plan(&folder, plan)?;
        Ok(Self {
            folder,
            lock,
            journal,
            history: History::default(),
            header,
        })
    }

    /// Locks and resumes a run.
    pub(crate) fn resume(folder: &RunFolder) -> Result<Self, Error> {
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

/// Adds the help on giving two CI jobs different ids, if another process holds this job's run.
fn held(error: Error, asked: bool) -> Error {
    match error {
        Error::Failed(failure) if failure.code == LOCKED && !asked => {
            let failure = failure.with_help(format!(
                "if both are jobs of one CI run, set a different {RUN_KEY} in the environment of each, such as its position in the matrix"
            ));
            Error::Failed(Box::new(failure))
        }
        error => error,
    }
}

/// Checks that an unfinished run was started with the same parameters as this one.
fn same(
    site: &Site,
    plan: &Plan,
    cloud: &Cloud,
    run: &LockedRun,
    asked: bool,
) -> Result<(), Error> {
    let id = run.folder.id();
    let Header {
        plan_digest,
        sandbox,
        caller,
        ..
    } = &run.header;
    // A CI system may check out the same commit to another folder for each try of a job.
    let elsewhere = origin::elsewhere(&site.workspace, &run.header).filter(|_| asked);
    let begun = if let Some(workspace) = elsewhere {
        format!("in the workspace {workspace}")
    } else if *plan_digest != plan.digest() {
        "with another plan: the file, an input, a listed variable, the commit, a plugin or a policy \
         has changed since then"
            .to_owned()
    } else if sandbox.as_deref() != cloud.scenario() {
        origin::cloud(&run.header)
    } else if caller.as_deref() != cloud.caller() {
        format!("as {}", caller.as_deref().unwrap_or(cloud.usual_caller()))
    } else {
        return Ok(());
    };
    let help = if asked {
        "choose another --run-id, or resume the run as it was started:".to_owned()
    } else {
        // The id is derived from the CI job.
        format!(
            "to start another run, set {RUN_KEY} in the environment of this CI job to a value that \
             no other job of the CI run has; or resume the run as it was started:"
        )
    };
    Err(Error::usage_with(
        format!("run {id} is unfinished, and was started {begun}"),
        help,
        origin::how_to_resume(&site.workspace, &run.header),
    ))
}

fn keep_plan(folder: &RunFolder, plan: &Plan) -> Result<(), Error> {
    let plan = serde_json::to_vec(plan)
        .map_err(|error| Failure::bug(format!("the plan can't be written: {error}")))?;
    Ok(folder.write_document(PLAN, &plan)?)
}

/// Reads the plan that a run was started with from its folder.
pub(crate) fn read_plan(folder: &RunFolder) -> Result<Plan, Error> {
    let account = folder.account()?;
    let bytes = match folder.read_document(PLAN) {
        Err(StateError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            return Err(no_plan(folder, &account).into());
        }
        read => read?,
    };
    let plan: Plan = serde_json::from_slice(&bytes).map_err(|error| {
        other_plan(folder, &account, &format!("can't be read: {error}"))
            .with_help("If another version of sidestep started the run, use that version.")
    })?;
    if plan.digest() != account.header.plan_digest {
        let what = "is not the plan that the run was started with";
        return Err(other_plan(folder, &account, what).into());
    }
    Ok(plan)
}

fn no_plan(folder: &RunFolder, account: &Account) -> Failure {
    let id = folder.id();
    if account.history.started.is_some() || !account.damage.is_empty() {
        return other_plan(folder, account, "is missing");
    }
    let message = format!("run {id} was killed before its first step started");
    Failure::new(
        Class::NotFound,
        codes::state::NO_PLAN,
        Owner::Operator,
        message,
    )
    .with_help("Start it again:")
    .with_helps(commands::run_as(&id.to_string()))
}

fn other_plan(folder: &RunFolder, account: &Account, what: &str) -> Failure {
    let path = folder.path().join(PLAN);
    let message = format!(
        "the plan of run {}, {}, {what}",
        folder.id(),
        path.display()
    );
    Failure::new(
        Class::Failed,
        codes::state::DAMAGED,
        Owner::Operator,
        message,
    )
    .with_help("Restore the file, or remove the run's objects and start a new run:")
    .with_helps(commands::gc(account.header.sandbox.as_deref()))
}
