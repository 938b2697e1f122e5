//! Lets the plugins check a plan.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;
use sidestep_capabilities::workspace::Workspace;
use sidestep_capabilities::{NewIntent, StepContext, StepSink};
use sidestep_events::{Diagnostic, Done, Event, Failure, IntentId};
use sidestep_host::{Incarnation, Plugin};
use sidestep_pipeline::{Instance, Pipeline, Plan, SecretSource};
use sidestep_report::{Problems, SourceText};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::equipment::Equipment;
use crate::site::Site;

/// The maximum size of a file from which a diagnostic shows lines, in bytes.
const MAX_TEXT: u64 = 1 << 20;
/// The maximum size of all these files together, in bytes. No lines are shown from further files.
const MAX_TEXTS: u64 = 32 << 20;

/// Adds the plugins' own diagnostics, for which they read the workspace.
pub(super) async fn check(
    site: &Site,
    pipeline: &Pipeline,
    plan: &Plan,
    plugins: &HashMap<String, Plugin>,
    problems: &mut Problems,
) {
    // A check gets no secrets, since no step that may use them has started.
    let none = IndexMap::<String, SecretSource>::new();
    let equipment = match Equipment::new(site, &none, None, false).await {
        Ok(equipment) => equipment,
        Err(failure) => return problems.extend([as_diagnostic(&failure)]),
    };
    let mut checks = Checks::new(&equipment);
    // The check of each instance, as an index, or the reason why it can't be checked.
    let mut asked = Vec::new();
    for instance in &plan.instances {
        let Some(plugin) = plugins.get(&instance.plugin_digest) else {
            continue;
        };
        let check = match instance.known_inputs(plan, &*site.evaluator) {
            Ok(inputs) => Ok(checks.start(plugin, instance, inputs).await),
            Err(failure) => Err(as_diagnostic(&failure)),
        };
        asked.push((instance, check));
    }
    let found = checks.end().await;
    // Report a diagnostic once, even if several instances of a matrix have it.
    let mut said = HashSet::new();
    let mut texts = Texts::default();
    for (instance, check) in asked {
        let remarks = match check {
            Ok(index) => found.get(index).cloned().unwrap_or_default(),
            Err(unchecked) => {
                problems.extend([placed(pipeline, &instance.step, unchecked)]);
                continue;
            }
        };
        for remark in remarks {
            if !said.insert((instance.step.clone(), format!("{remark:?}"))) {
                continue;
            }
            let Some(file) = &remark.file else {
                problems.extend([placed(pipeline, &instance.step, remark)]);
                continue;
            };
            let text = equipment.services.find::<Workspace>();
            let text = text.and_then(|all| all.text(&instance.scopes, file.exact(), MAX_TEXT));
            let source = text.and_then(|text| texts.share(file.exact(), text));
            problems.push_foreign(remark, source);
        }
    }
}

/// The maximum number of checks at the same time. Each may wait for the disk.
const MOST_AT_ONCE: usize = 8;

/// The checks of plugins, a few at a time. A check can read only its inputs and the workspace, so
/// one check answers for all steps with the same plugin, inputs and grants.
struct Checks<'a> {
    equipment: &'a Equipment,
    known: HashMap<(String, String), usize>,
    running: JoinSet<(usize, Vec<Diagnostic>)>,
    found: Vec<Vec<Diagnostic>>,
}

impl<'a> Checks<'a> {
    fn new(equipment: &'a Equipment) -> Self {
        Self {
            equipment,
            known: HashMap::new(),
            running: JoinSet::new(),
            found: Vec::new(),
        }
    }

    /// Starts the check of an instance, unless the same one has been started, and returns its
    /// index.
    async fn start(&mut self, plugin: &Plugin, instance: &Instance, inputs: Value) -> usize {
        let facts = serde_json::json!([inputs, instance.scopes]).to_string();
        match self.known.entry((instance.plugin_digest.clone(), facts)) {
            Entry::Occupied(known) => return *known.get(),
            Entry::Vacant(new) => new.insert(self.found.len()),
        };
        let index = self.found.len();
        self.found.push(Vec::new());
        if self.running.len() >= MOST_AT_ONCE {
            self.take_one().await;
        }
        let incarnation = self.incarnation(instance, inputs);
        let plugin = plugin.clone();
        self.running.spawn(async move {
            let found = plugin.check(incarnation).await;
            (
                index,
                found.unwrap_or_else(|failure| vec![as_diagnostic(&failure)]),
            )
        });
        index
    }

    fn incarnation(&self, instance: &Instance, inputs: Value) -> Incarnation {
        let equipment = self.equipment;
        Incarnation {
            context: StepContext {
                run: "check".to_owned(),
                // Not needed, since a check creates no objects.
                plan: String::new(),
                instance: instance.id.clone(),
                attempt: 1,
                resumed: false,
                last_checkpoint: None,
                log_positions: HashMap::new(),
                deadline: None,
                cancel: CancellationToken::new(),
                masks: equipment.masks.clone(),
                scopes: Arc::new(instance.scopes.clone()),
                sink: Arc::new(NoSink),
            },
            services: equipment.services.clone(),
            inputs,
            timeout: Some(Duration::from_secs(30)),
        }
    }

    /// Waits for the end of one check.
    async fn take_one(&mut self) -> bool {
        match self.running.join_next().await {
            Some(Ok((index, found))) => self.found[index] = found,
            // A panic of a check is a panic of the command; nothing cancels a check.
            Some(Err(ended)) => {
                if let Ok(panic) = ended.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
            None => return false,
        }
        true
    }

    /// Waits for all checks, and returns what each found.
    async fn end(mut self) -> Vec<Vec<Diagnostic>> {
        while self.take_one().await {}
        self.found
    }
}

/// The texts that plugins' diagnostics show lines of, each stored once.
#[derive(Default)]
struct Texts {
    known: HashMap<String, Arc<SourceText>>,
    bytes: u64,
}

impl Texts {
    /// Stores a text, unless the texts together would exceed the limit.
    fn share(&mut self, file: &str, text: String) -> Option<Arc<SourceText>> {
        if let Some(known) = self.known.get(file)
            && known.holds(&text)
        {
            return Some(Arc::clone(known));
        }
        self.bytes = self.bytes.saturating_add(text.len() as u64);
        if self.bytes > MAX_TEXTS {
            return None;
        }
        let source = Arc::new(SourceText::new(file, text));
        self.known.insert(file.to_owned(), Arc::clone(&source));
        Some(source)
    }
}

/// Points a diagnostic about a step's inputs at the input that it names, or at the step.
pub(super) fn placed(pipeline: &Pipeline, step: &str, mut found: Diagnostic) -> Diagnostic {
    let mut named = found.message.exact().split('`').skip(1).step_by(2);
    let at = named.find_map(|name| pipeline.input_place(step, name));
    match at.or_else(|| pipeline.step_place(step)) {
        Some(at) => found.at(pipeline.file(), at),
        None => {
            found.at = None;
            found.file = Some(pipeline.file().into());
            found
        }
    }
}

fn as_diagnostic(failure: &Failure) -> Diagnostic {
    let diagnostic = Diagnostic::error(failure.code.clone(), failure.message.clone());
    diagnostic.with_helps(failure.help.iter().cloned())
}

/// A sink for checks, which emit only diagnostics and create no objects.
struct NoSink;

#[async_trait]
impl StepSink for NoSink {
    fn event(&self, _: Event) {}

    async fn intent(&self, _: NewIntent) -> Result<IntentId, Failure> {
        Err(Failure::bug("a check tried to create an external object"))
    }

    async fn done(&self, _: Done) -> Result<(), Failure> {
        Ok(())
    }

    async fn checkpoint(&self, _: Value) -> Result<(), Failure> {
        Ok(())
    }
}
