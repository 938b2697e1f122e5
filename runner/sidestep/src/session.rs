//! The context shared by all commands.

use std::path::PathBuf;
use std::sync::Arc;

use sidestep_capabilities::Masks;
use sidestep_events::{Failure, show};
use sidestep_host::{CompileLimits, EvaluationLimits, Limits, Room};
use sidestep_launch::{Environment, Error, Fate, Note, Notes, PolicyFiles, Site, memory, no_home};
use sidestep_report::{Problems, bytes, going};

use crate::built_in::{self, BUILT_IN};
use crate::cli::Global;
use crate::environment::{self, POLICY};
use crate::log;
use crate::output::{Look, note};
use crate::settings::{Places, Settings};
use crate::signals::Inherited;

/// The context shared by all commands.
pub(crate) struct Session {
    pub(crate) global: Global,
    pub(crate) settings: Settings,
    pub(crate) places: Places,
    /// The signals that the process was started to ignore.
    pub(crate) inherited: Inherited,
    /// The environment in which runs are launched.
    pub(crate) site: Site,
}

impl Session {
    /// Reads the settings, and warns about settings files that are ignored.
    pub(crate) fn new(global: Global, inherited: Inherited) -> Result<Self, Error> {
        let asked = global.workspace.clone().unwrap_or_else(|| ".".into());
        let workspace = asked.canonicalize().map_err(|error| {
            Error::usage(
                format!("the workspace {} can't be opened: {error}", asked.display()),
                "pass an existing folder with --workspace",
            )
        })?;
        let masks = Arc::new(Masks::new());
        let log = log::start(global.verbose, &workspace, &masks)?;
        let places = Places::of(&workspace, environment::get);
        let mut settings = Settings::load(global.color, &places, environment::get)?;
        let warnings = Problems::from(std::mem::take(&mut settings.warnings));
        if !warnings.is_empty() {
            let color = Look::stderr(settings.color.value).color;
            note(warnings.render(color).trim_end());
        }
        Ok(Self {
            site: site(&global, &settings, &places, workspace, masks, log),
            inherited,
            global,
            settings,
            places,
        })
    }

    /// Returns the folder of sandboxes.
    pub(crate) fn sandboxes(&self) -> Result<PathBuf, Failure> {
        let sandboxes = self.places.sandboxes();
        sandboxes.ok_or_else(|| no_home("sandboxes", "XDG_STATE_HOME=/PATH"))
    }

    /// Returns the capabilities of standard output.
    pub(crate) fn look(&self) -> Look {
        Look::stdout(self.settings.color.value)
    }
}

fn site(
    global: &Global,
    settings: &Settings,
    places: &Places,
    workspace: PathBuf,
    masks: Arc<Masks>,
    log: Option<PathBuf>,
) -> Site {
    let half = || memory() / 2;
    let ceiling = settings.memory.value.map_or_else(half, |size| size.0);
    let named = environment::get_os(POLICY).filter(|value| !value.is_empty());
    Site {
        workspace,
        state: settings.state.as_ref().map(|state| state.value.clone()),
        log,
        compiled: places.compiled(),
        scratch: places.scratch(),
        policies: PolicyFiles {
            machine: Some(places.machine_policy.clone()),
            user: places.user_policy.clone(),
            named: named.map(PathBuf::from),
        },
        secret_files: settings.secret_files.value.clone(),
        helper_image: settings
            .helper_image
            .value
            .as_ref()
            .map(ToString::to_string),
        compile: CompileLimits {
            time: settings.compile_time.value.0,
            memory: settings.compile_memory.value.0,
        },
        environment: Environment::new(environment::get, environment::of_pipeline),
        masks,
        built_in: BUILT_IN,
        room: Room::new(ceiling, Limits::default().together()),
        evaluator: Arc::new(built_in::evaluator(EvaluationLimits::default())),
        notes: notes(global.quiet),
    }
}

/// Creates the notes that tell people what happens before a run has events.
fn notes(quiet: bool) -> Notes {
    Notes::new(move |told| {
        if !quiet {
            note(&words(&told));
        }
    })
}

fn words(told: &Note<'_>) -> String {
    match told {
        Note::Compiling(compiling) => {
            let (name, size) = (show::line(compiling.name), bytes(compiling.size as u64));
            format!("compiling {name} ({size}); the result is cached")
        }
        Note::Swept(swept) => {
            let kind = show::line(&swept.kind);
            let (name, why) = (show::line(&swept.name), show::line(&swept.why));
            let what = match &swept.fate {
                Fate::Going(object) => going(object),
                _ => "removed".to_owned(),
            };
            format!("{what}: {kind} {name} ({why})")
        }
    }
}
