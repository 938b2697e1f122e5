//! What the plugins themselves say of a plan.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;
use sidestep_capabilities::{NewIntent, StepContext, StepSink};
use sidestep_events::{Diagnostic, Done, Event, Failure, Foreign, IntentId};
use sidestep_host::{Incarnation, Plugin};
use sidestep_pipeline::{Pipeline, Plan, SecretSource};
use tokio_util::sync::CancellationToken;

use crate::commands::Session;
use crate::equipment::Equipment;

/// What the plugins themselves find, by reading the workspace, and for which step.
pub(super) async fn check(
    session: &Session,
    plan: &Plan,
    plugins: &HashMap<String, Plugin>,
) -> Vec<(String, Diagnostic)> {
    // A check has no secrets: nothing has started that may use them.
    let none = IndexMap::<String, SecretSource>::new();
    let equipment = match Equipment::new(session, &none, None, "check", false).await {
        Ok(equipment) => equipment,
        Err(failure) => return vec![(String::new(), as_diagnostic(&failure))],
    };
    let mut found = Vec::new();
    for instance in &plan.instances {
        let Some(plugin) = plugins.get(&instance.plugin_digest) else {
            continue;
        };
        let incarnation = Incarnation {
            context: StepContext {
                run: "check".to_owned(),
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
            inputs: instance.known_inputs(),
            timeout: Some(Duration::from_secs(30)),
        };
        let remarks = match plugin.check(incarnation).await {
            Ok(remarks) => remarks,
            Err(failure) => vec![as_diagnostic(&failure)],
        };
        let remarks = remarks.into_iter();
        found.extend(remarks.map(|remark| (instance.step.clone(), remark)));
    }
    found
}

/// Gives a remark on a step's inputs the place of the input that it names, or of the step.
pub(super) fn placed(pipeline: &Pipeline, step: &str, mut found: Diagnostic) -> Diagnostic {
    if found.file.is_none() {
        let mut named = found.message.exact().split('`').skip(1).step_by(2);
        let at = named.find_map(|name| pipeline.input_place(step, name));
        found.at = at.or_else(|| pipeline.step_place(step));
        found.file = Some(pipeline.file().into());
    }
    found
}

fn as_diagnostic(failure: &Failure) -> Diagnostic {
    let diagnostic = Diagnostic::error(failure.code.clone(), failure.message.clone());
    if failure.help.is_empty() {
        diagnostic
    } else {
        let help: Vec<_> = failure.help.iter().map(Foreign::exact).collect();
        diagnostic.with_help(help.join("\n"))
    }
}

/// A check says nothing but its diagnostics, and makes nothing.
struct NoSink;

#[async_trait]
impl StepSink for NoSink {
    fn event(&self, _: Event) {}

    async fn intent(&self, _: NewIntent) -> Result<IntentId, Failure> {
        Err(Failure::bug("a check made something outside"))
    }

    async fn done(&self, _: Done) -> Result<(), Failure> {
        Ok(())
    }

    async fn checkpoint(&self, _: Value) -> Result<(), Failure> {
        Ok(())
    }
}
