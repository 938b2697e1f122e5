use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sidestep_events::{Class, Diagnostic, Failure, Owner, codes};
use sidestep_gate::bindings::sidestep::host::types;
use sidestep_gate::bindings::{All, AllPre};
use sidestep_gate::convert::diagnostic_from_wit;
use sidestep_gate::{Masks, Services, StepContext, StepState};
use sidestep_policy::{Capability, Refusal, StepScopes};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wasmtime::Store;

use crate::limits::Limiter;
use crate::plugin::Plugin;
use crate::{output, trap};

/// The parameters of one incarnation.
#[derive(Debug)]
pub struct Incarnation {
    /// The step, and the sink of its events.
    pub context: StepContext,
    /// The services that its capabilities use.
    pub services: Arc<Services>,
    /// The step's inputs, a JSON object.
    pub inputs: Value,
    /// The timeout of the incarnation.
    pub timeout: Option<Duration>,
}

/// The outcome of a guest's function.
enum Ended<T> {
    Answered(T),
    Trapped(wasmtime::Error),
    CutOff,
    TimedOut,
}

/// The maximum length of outputs, in bytes, that are read without a thread for blocking work.
const MOST_AT_ONCE: usize = 16 << 10;

/// A call of one of the guest's functions.
type Work<T> = Box<dyn for<'a> FnOnce(&'a All, &'a mut Store<StepState>) -> Answer<'a, T> + Send>;
type Answer<'a, T> = BoxFuture<'a, wasmtime::Result<T>>;

impl Plugin {
    /// Runs the step and returns its outputs.
    ///
    /// When the step is cancelled, blocked host calls return at once. A guest that is not done
    /// after the grace period, or when its timeout expires, is dropped. Dropping the future stops
    /// it too.
    pub async fn run(&self, incarnation: Incarnation) -> Result<Value, Failure> {
        let timeout = incarnation.timeout;
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let inputs = incarnation.inputs.to_string();
        let masks = Arc::clone(&incarnation.context.masks);
        let this = self.clone();
        // The outputs are checked within the attempt, so a slow schema counts against the step's
        // timeout.
        let work: Work<Result<Value, Failure>> = Box::new(move |plugin, store| {
            Box::pin(async move {
                let plugin = plugin.sidestep_step_plugin();
                let answer = plugin.call_run(&mut *store, &inputs).await?;
                Ok(match answer {
                    Ok(outputs) => this.outputs(outputs, masks).await,
                    Err(failure) => Err(store.data().claimed(failure)),
                })
            })
        });
        let outputs = self.call(&self.loaded().run, incarnation, work).await??;
        // The time to parse and check the outputs counts too.
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(timed_out(timeout));
        }
        Ok(outputs)
    }

    /// Returns the plugin's outputs after checking them. The plugin's schema determines how long
    /// this takes, so it runs on a thread for blocking work unless it takes no time.
    async fn outputs(self, answer: String, masks: Arc<Masks>) -> Result<Value, Failure> {
        if answer.len() <= MOST_AT_ONCE {
            let loaded = self.loaded();
            let outputs = output::read(&answer, loaded.limits.output_bytes, &masks)?;
            if output::fit_at_once(&*loaded.evaluator, &outputs, &loaded.described.manifest) {
                return Ok(outputs);
            }
        }
        let check = move || {
            let loaded = self.loaded();
            let outputs = output::read(&answer, loaded.limits.output_bytes, &masks)?;
            output::check(&*loaded.evaluator, &outputs, &loaded.described.manifest)?;
            Ok(outputs)
        };
        tokio::task::spawn_blocking(check)
            .await
            .unwrap_or_else(|error| Err(Failure::bug(format!("outputs can't be checked: {error}"))))
    }

    /// Runs the plugin's `check` before anything starts. It may read the workspace; calling any
    /// other capability makes it fail.
    pub async fn check(&self, incarnation: Incarnation) -> Result<Vec<Diagnostic>, Failure> {
        let inputs = incarnation.inputs.to_string();
        let masks = Arc::clone(&incarnation.context.masks);
        let work: Work<Vec<types::Diagnostic>> = Box::new(move |plugin, store| {
            Box::pin(async move {
                plugin
                    .sidestep_step_plugin()
                    .call_check(store, &inputs)
                    .await
            })
        });
        let found = self.call(&self.loaded().check, incarnation, work).await?;
        Ok(found
            .into_iter()
            .map(|found| masks.diagnostic(diagnostic_from_wit(found)))
            .collect())
    }

    async fn call<T>(
        &self,
        pre: &AllPre<StepState>,
        incarnation: Incarnation,
        work: Work<T>,
    ) -> Result<T, Failure> {
        let loaded = self.loaded();
        let limits = &loaded.limits;
        let Incarnation {
            mut context,
            services,
            timeout,
            ..
        } = incarnation;
        refuse_unmet(&loaded.described.manifest.requests, &context.scopes)?;
        let cancel = context.cancel.clone();
        if cancel.is_cancelled() {
            return Err(Failure::cancelled(
                "the step was cancelled before it started",
            ));
        }
        if context.deadline.is_none() {
            context.deadline = timeout.and_then(deadline);
        }
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let masks = Arc::clone(&context.masks);
        let share = Arc::new(loaded.room.join(Arc::clone(&context.sink)));
        let (limiter, refused) = Limiter::new(limits, Arc::clone(&share));
        let state = StepState::new(context, services, &limits.step, Box::new(limiter));
        state.share(share);
        let mut store = Store::new(&loaded.engine, state);
        store.limiter_async(StepState::limiter);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store.set_hostcall_fuel(limits.call_bytes);
        store.set_max_component_handles(limits.step.handles);
        let ended = {
            let guest = pin!(async {
                let plugin = pre.instantiate_async(&mut store).await?;
                work(&plugin, &mut store).await
            });
            tokio::select! {
                biased;
                answer = guest => match answer {
                    // The guest may have blocked the thread until then.
                    _ if end.is_some_and(|end| Instant::now() >= end) => Ended::TimedOut,
                    Ok(answer) => Ended::Answered(answer),
                    Err(error) => Ended::Trapped(error),
                },
                () = grace_over(&cancel, limits.grace) => Ended::CutOff,
                () = time_over(end) => Ended::TimedOut,
            }
        };
        match ended {
            Ended::Answered(answer) => Ok(answer),
            Ended::Trapped(error) => {
                Err(masks.failure(trap::failure(&error, store.data(), &refused)))
            }
            Ended::CutOff => Err(Failure::cancelled(format!(
                "the step was cancelled, and its plugin was stopped after a grace period of {}",
                words(limits.grace)
            ))),
            Ended::TimedOut => Err(timed_out(timeout)),
        }
    }
}

/// Refuses to start a step with requests that were not checked against grants and policy. The plan
/// checks what the requests resolve to for these inputs; this only checks that none was forgotten.
fn refuse_unmet(requests: &IndexMap<String, String>, scopes: &StepScopes) -> Result<(), Failure> {
    for key in requests.keys() {
        if let Some(capability) = Capability::from_name(key)
            && scopes.get(capability).is_none()
        {
            return Err(Refusal::missing(
                capability,
                format!("the plugin requests `{key}`, but the step grants nothing under that key"),
                None,
            )
            .failure()
            .with_help(format!("add `{key}` to the step's `grants`")));
        }
    }
    Ok(())
}

fn timed_out(timeout: Option<Duration>) -> Failure {
    Failure::new(
        Class::TimedOut,
        codes::step::TIMED_OUT,
        Owner::Author,
        format!(
            "the step did not end within {}",
            words(timeout.unwrap_or_default())
        ),
    )
    .with_help("raise the step's `timeout` if it needs longer")
}

async fn grace_over(cancel: &CancellationToken, grace: Duration) {
    cancel.cancelled().await;
    tokio::time::sleep(grace).await;
}

async fn time_over(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn deadline(timeout: Duration) -> Option<Timestamp> {
    let timeout = SignedDuration::try_from(timeout).ok()?;
    Timestamp::now().checked_add(timeout).ok()
}

/// Formats a duration: `45m`, `1h 30m`, `10s`, `250ms`.
fn words(time: Duration) -> String {
    let (hours, minutes, seconds) = (
        time.as_secs() / 3600,
        time.as_secs() / 60 % 60,
        time.as_secs() % 60,
    );
    let parts: Vec<String> = [(hours, "h"), (minutes, "m"), (seconds, "s")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if parts.is_empty() {
        format!("{}ms", time.as_millis())
    } else {
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_their_largest_units() {
        for (time, said) in [
            (90 * 60_000, "1h 30m"),
            (45 * 60_000, "45m"),
            (10_000, "10s"),
            (250, "250ms"),
            (0, "0ms"),
        ] {
            assert_eq!(words(Duration::from_millis(time)), said);
        }
    }
}
