//! The one place that every call of every plugin passes.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures::StreamExt as _;
use sidestep_events::{Class, Done, Event, Failure, HostCall, Owner};
use sidestep_policy::{Call, Capability, Scope, StepScopes};

use crate::{NewIntent, StepContext};

/// How many items of one list the host works on at a time.
pub const SIDE_BY_SIDE: usize = 16;

/// Checks, counts, journals and records the host calls of one incarnation.
#[derive(Debug)]
pub struct Gate {
    step: Arc<StepContext>,
    calls: AtomicU64,
    limit: u64,
}

impl Gate {
    /// The gate of an incarnation that may make `limit` calls.
    pub fn new(step: Arc<StepContext>, limit: u64) -> Self {
        Self {
            step,
            calls: AtomicU64::new(0),
            limit,
        }
    }

    /// Brings a call before the gate. `function` is the WIT function's name; what the call
    /// touches, and whether the step may, is read from `call` here and now.
    pub fn call(&self, function: &'static str, call: &dyn Call) -> GateCall<'_> {
        GateCall {
            gate: self,
            capability: call.capability().as_str(),
            function,
            target: call.describe(),
            verdict: check(&self.step.scopes, call),
        }
    }

    /// Brings a call before the gate that touches several things: it passes when anything at all is
    /// granted, and its work asks [`permits`](Self::permits) for each thing. `target` says in words
    /// what it is about.
    pub fn call_within(
        &self,
        function: &'static str,
        capability: Capability,
        target: String,
    ) -> GateCall<'_> {
        let granted = self.step.scopes.get(capability);
        let verdict = if granted.is_some_and(|grant| !grant.scopes().is_empty()) {
            Ok(())
        } else {
            Err(missing(capability, &target))
        };
        GateCall {
            gate: self,
            capability: capability.as_str(),
            function,
            target,
            verdict,
        }
    }

    /// Whether the step may make this call; for what a call turns out to touch on its way.
    pub fn permits(&self, call: &dyn Call) -> Result<(), Failure> {
        check(&self.step.scopes, call)
    }

    /// Counts one call that needs no grant.
    pub fn count(&self) -> Result<(), Failure> {
        if self.calls.fetch_add(1, Ordering::Relaxed) < self.limit {
            return Ok(());
        }
        Err(Failure::new(
            Class::Exhausted,
            "limit.host-calls",
            Owner::Plugin,
            format!("the plugin made more than {} host calls", self.limit),
        )
        .with_help("a plugin that polls should use `sleep` or a `follow`"))
    }

    /// Works on the items side by side, at most [`SIDE_BY_SIDE`] at a time; the answers come in
    /// the order of the items. `work` brings each item before the gate.
    pub async fn each<I, T, W>(&self, items: Vec<I>, work: impl FnMut(I) -> W) -> Vec<T>
    where
        W: Future<Output = T>,
    {
        futures::stream::iter(items.into_iter().map(work))
            .buffered(SIDE_BY_SIDE)
            .collect()
            .await
    }

    /// Waits for `work` unless the step is cancelled, before or meanwhile.
    pub async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.step.cancel.cancelled() => Err(cancelled()),
            result = work => result,
        }
    }
}

/// A call before the gate: one of [`run`](Self::run), [`wait`](Self::wait) and
/// [`create`](Self::create) lets it through or refuses it, and records it.
#[must_use = "a call that is not run is not made"]
#[derive(Debug)]
pub struct GateCall<'g> {
    gate: &'g Gate,
    capability: &'static str,
    function: &'static str,
    target: String,
    verdict: Result<(), Failure>,
}

impl GateCall<'_> {
    /// Refuses the call for a reason of its own, whatever was granted.
    pub fn unless(mut self, refused: Option<Failure>) -> Self {
        if let Some(failure) = refused {
            self.verdict = Err(failure);
        }
        self
    }

    /// Makes the call. A cancel that comes meanwhile ends it; one that begins in the grace after a
    /// cancel is made, so that a plugin can tidy up.
    pub async fn run<T>(
        self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let gate = self.gate;
        self.through(async {
            if gate.step.cancel.is_cancelled() {
                work.await
            } else {
                gate.unless_cancelled(work).await
            }
        })
        .await
    }

    /// Makes a call that only waits: once the step is cancelled it is not made at all.
    pub async fn wait<T>(
        self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let gate = self.gate;
        self.through(gate.unless_cancelled(work)).await
    }

    /// Makes something outside: journals the intent, then works, then journals what became of it.
    /// `work` answers with the object's uid or generation beside its value. Nothing new is begun
    /// once the step is cancelled.
    ///
    /// A failure by which certainly nothing was made closes the intent; after any other it stays
    /// open, and whoever cleans up looks for the object by its name.
    pub async fn create<T>(
        self,
        intent: NewIntent,
        work: impl Future<Output = Result<(T, String), Failure>>,
    ) -> Result<T, Failure> {
        let gate = self.gate;
        self.through(async {
            if gate.step.cancel.is_cancelled() {
                return Err(cancelled());
            }
            let sink = &gate.step.sink;
            // Not interruptible: a record that is half written would be cut off.
            let intent = sink.intent(intent).await?;
            match gate.unless_cancelled(work).await {
                Ok((value, id)) => {
                    sink.done(Done {
                        intent,
                        id: Some(id),
                        removed: false,
                    })
                    .await?;
                    Ok(value)
                }
                Err(failure) => {
                    if nothing_was_made(failure.class) {
                        sink.done(Done {
                            intent,
                            id: None,
                            removed: false,
                        })
                        .await?;
                    }
                    Err(failure)
                }
            }
        })
        .await
    }

    async fn through<T>(
        self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut record = Recorder {
            step: &self.gate.step,
            began: Instant::now(),
            call: Some(HostCall {
                capability: self.capability.to_owned(),
                function: self.function.to_owned(),
                target: self.target,
                allowed: false,
                // What is recorded if the Store is dropped before there is an answer.
                code: Some("call.interrupted".to_owned()),
                duration_us: 0,
            }),
        };
        if let Err(failure) = self.verdict.and_then(|()| self.gate.count()) {
            return Err(record.failed(failure));
        }
        record.allowed();
        match work.await {
            Ok(value) => {
                record.succeeded();
                Ok(value)
            }
            Err(failure) => Err(record.failed(failure)),
        }
    }
}

/// Whether the step may make the call; the refusal says what it may instead.
fn check(scopes: &StepScopes, call: &dyn Call) -> Result<(), Failure> {
    let Err(refusal) = scopes.allows(call) else {
        return Ok(());
    };
    if refusal.policy.is_some() {
        return Err(refusal.failure());
    }
    let capability = call.capability();
    let granted: Vec<String> = scopes
        .get(capability)
        .map(|grant| grant.scopes().iter().map(Scope::explain).collect())
        .unwrap_or_default();
    if granted.is_empty() {
        return Err(missing(capability, &call.describe()));
    }
    Err(refused(
        capability,
        "grant.scope",
        format!(
            "the step may not {}: that is outside what it is granted",
            call.describe()
        ),
    )
    .with_help(format!("it may {}", granted.join("; ")))
    .with_help(format!(
        "if it should, widen `{capability}` in the step's `grants`"
    )))
}

fn missing(capability: Capability, call: &str) -> Failure {
    refused(
        capability,
        "grant.missing",
        format!("the step may not {call}: nothing is granted to it under `{capability}`"),
    )
    .with_help(format!(
        "if it should, add `{capability}` to the step's `grants`"
    ))
}

fn refused(capability: Capability, code: &'static str, message: String) -> Failure {
    Failure::new(Class::Refused, code, Owner::Author, message)
        .with_detail("capability", capability.as_str())
}

fn cancelled() -> Failure {
    Failure::cancelled("the step was cancelled")
}

fn nothing_was_made(class: Class) -> bool {
    matches!(
        class,
        Class::InvalidInput | Class::Refused | Class::Denied | Class::NotFound | Class::Conflict
    )
}

/// Sends the call's event when it is over, also when its future is dropped.
struct Recorder<'g> {
    step: &'g StepContext,
    began: Instant,
    call: Option<HostCall>,
}

impl Recorder<'_> {
    fn allowed(&mut self) {
        if let Some(call) = &mut self.call {
            call.allowed = true;
        }
    }

    fn succeeded(&mut self) {
        if let Some(call) = &mut self.call {
            call.code = None;
        }
    }

    fn failed(&mut self, failure: Failure) -> Failure {
        let failure = self.step.masks.failure(failure);
        if let Some(call) = &mut self.call {
            call.code = Some(failure.code.clone().into_owned());
        }
        failure
    }
}

impl Drop for Recorder<'_> {
    fn drop(&mut self) {
        if let Some(mut call) = self.call.take() {
            call.duration_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.step.emit(Event::HostCall(call));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sidestep_events::{IntentId, OnExit, Place};
    use sidestep_policy::storage::Request;

    use super::*;
    use crate::testing::{Kept, Record, step};

    const CREATE: Request<'_> = Request {
        bucket: "contexts",
        object: Some("api/x"),
        action: "create",
    };

    fn gate() -> (Gate, Arc<Kept>, Arc<StepContext>) {
        let granted = json!([{"bucket": "contexts", "prefix": "api/", "actions": ["create"]}]);
        let (step, kept) = step(Capability::Storage, &granted);
        (Gate::new(Arc::clone(&step), 10), kept, step)
    }

    fn intent() -> NewIntent {
        NewIntent {
            kind: "object".to_owned(),
            place: Place::Bucket {
                bucket: "contexts".to_owned(),
            },
            name: "api/x".to_owned(),
            on_exit: OnExit::Keep,
            expiry: None,
        }
    }

    #[tokio::test]
    async fn an_intent_comes_before_the_work_and_its_end_after() {
        let (gate, kept, _) = gate();
        let work = async {
            assert_eq!(kept.records(), [Record::Intent(intent())]);
            Ok(("value", "17".to_owned()))
        };
        let value = gate.call("put", &CREATE).create(intent(), work).await;
        assert_eq!(value, Ok("value"));
        let records = kept.records();
        let done = Done {
            intent: IntentId(1),
            id: Some("17".to_owned()),
            removed: false,
        };
        assert_eq!(records[1], Record::Done(done));
        assert_eq!(kept.calls()[0].code, None);
    }

    #[tokio::test]
    async fn an_intent_stays_open_unless_nothing_was_made() {
        for (class, closed) in [(Class::Denied, true), (Class::Unavailable, false)] {
            let (gate, kept, _) = gate();
            let work = async { Err(Failure::new(class, "x.y", Owner::Cloud, "no")) };
            let failure = gate
                .call("put", &CREATE)
                .create::<()>(intent(), work)
                .await
                .expect_err("it fails");
            assert_eq!(failure.class, class);
            let done = kept
                .records()
                .iter()
                .any(|record| matches!(record, Record::Done(done) if done.id.is_none()));
            assert_eq!(done, closed, "{class}");
            assert_eq!(kept.calls()[0].code.as_deref(), Some("x.y"));
        }
    }

    #[tokio::test]
    async fn what_is_refused_is_neither_journaled_nor_done() {
        let (gate, kept, _) = gate();
        let other = Request {
            bucket: "other",
            ..CREATE
        };
        let failure = gate
            .call("put", &other)
            .create::<()>(intent(), async { panic!("it must not be made") })
            .await
            .expect_err("it is refused");
        assert_eq!(
            (failure.class, &*failure.code),
            (Class::Refused, "grant.scope")
        );
        let [Record::Event(Event::HostCall(call))] = &kept.records()[..] else {
            panic!("one record");
        };
        assert!(!call.allowed);
        assert_eq!((&*call.capability, &*call.function), ("storage", "put"));
    }

    #[tokio::test]
    async fn after_a_cancel_only_tidying_up_is_done() {
        let (gate, kept, step) = gate();
        step.cancel.cancel();
        let run = gate.call("put", &CREATE).run(async { Ok(1) }).await;
        assert_eq!(run, Ok(1));
        let wait = gate.call("put", &CREATE).wait(async { Ok(1) }).await;
        assert_eq!(wait.expect_err("no").class, Class::Cancelled);
        let create = gate
            .call("put", &CREATE)
            .create::<()>(intent(), async { panic!("it must not be made") })
            .await;
        assert_eq!(create.expect_err("no").class, Class::Cancelled);
        assert!(!kept.records().contains(&Record::Intent(intent())));
    }

    #[tokio::test]
    async fn a_call_that_is_under_way_ends_with_the_cancel_and_leaves_its_intent() {
        let (gate, kept, step) = gate();
        let work = async {
            step.cancel.cancel();
            std::future::pending::<Result<((), String), Failure>>().await
        };
        let failure = gate
            .call("put", &CREATE)
            .create(intent(), work)
            .await
            .expect_err("it is cancelled");
        assert_eq!(failure.class, Class::Cancelled);
        assert!(!kept.records().iter().any(|r| matches!(r, Record::Done(_))));
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_is_recorded_too() {
        let (gate, kept, _) = gate();
        let mut call = Box::pin(
            gate.call("put", &CREATE)
                .run(std::future::pending::<Result<(), Failure>>()),
        );
        assert!(futures::poll!(&mut call).is_pending());
        drop(call);
        assert_eq!(kept.calls()[0].code.as_deref(), Some("call.interrupted"));
    }

    #[tokio::test]
    async fn failures_and_records_are_masked() {
        let (gate, kept, step) = gate();
        step.masks.add("api/x");
        let work = async { Err(Failure::new(Class::Failed, "x.y", Owner::Cloud, "no api/x")) };
        let failure = gate
            .call("put", &CREATE)
            .run::<()>(work)
            .await
            .expect_err("no");
        assert_eq!(failure.message, "no ***");
        assert!(
            !kept.calls()[0].target.contains("api/x"),
            "{:?}",
            kept.calls()
        );
    }

    #[tokio::test]
    async fn items_are_worked_on_side_by_side_and_answered_in_order() {
        let (gate, ..) = gate();
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let answers = gate
            .each((0..100).collect(), async |item: u32| {
                most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::Relaxed);
                item
            })
            .await;
        assert_eq!(answers, (0..100).collect::<Vec<_>>());
        assert_eq!(most.into_inner(), SIDE_BY_SIDE as u64);
    }
}
