//! The gate's handling of one call.

use sidestep_events::{Class, Done, Evidence, Failure, IntentId, Owner, codes};
use sidestep_handles::NotCreated;
use sidestep_policy::Capability;

use super::cost::Priced;
use super::record::Recorder;
use super::{Gate, cancelled};
use crate::{Masks, NewIntent};

/// A call at the gate: one of [`run`](Self::run), [`wait`](Self::wait) and [`create`](Self::create)
/// allows or refuses it, and records it.
#[must_use = "a call that is not run is not made"]
#[derive(Debug)]
pub struct GateCall<'g> {
    pub(super) gate: &'g Gate,
    pub(super) capability: Capability,
    pub(super) function: Priced,
    pub(super) target: String,
    pub(super) verdict: Result<(), Failure>,
}

impl GateCall<'_> {
    /// Refuses the call with this failure, if there is one, whatever was granted.
    pub fn unless(mut self, refused: Option<Failure>) -> Self {
        if let Some(failure) = refused {
            self.verdict = Err(failure);
        }
        self
    }

    /// Refuses the call with this failure, if there is one, even if it was granted.
    pub fn and_unless(mut self, refused: Option<Failure>) -> Self {
        self.verdict = self.verdict.and(refused.map_or(Ok(()), Err));
        self
    }

    /// Makes the call. A cancel in the meantime ends it; a call that begins in the grace period
    /// after a cancel is made, so that a plugin can clean up.
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

    /// Makes a call that only waits: it is not made once the step is cancelled.
    pub async fn wait<T>(
        self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let gate = self.gate;
        self.through(gate.unless_cancelled(work)).await
    }

    /// Creates an external object: journals the intent, does the work, then journals the outcome.
    /// `work` returns the object's uid or generation beside its value. Nothing new is started once
    /// the step is cancelled.
    ///
    /// A failure closes the intent only if certainly nothing was created. Otherwise the intent
    /// stays open, and the clean-up looks for the object by its name.
    pub async fn create<T>(
        self,
        intent: NewIntent,
        work: impl Future<Output = Result<(T, String), NotCreated>>,
    ) -> Result<T, Failure> {
        let gate = self.gate;
        self.through(async {
            if gate.step.cancel.is_cancelled() {
                return Err(cancelled());
            }
            // The intent is journaled, and the clean-up needs it unmasked.
            if holds_secret(&gate.step.masks, &intent) {
                return Err(Failure::new(
                    Class::InvalidInput,
                    codes::name::SECRET,
                    Owner::Plugin,
                    format!(
                        "the {} is not created: its name or location contains a secret, and both \
                         are stored and shown",
                        intent.kind
                    ),
                ));
            }
            let sink = &gate.step.sink;
            // Not interruptible: a half-written record would be cut off.
            let intent = sink.intent(intent).await?;
            match gate.unless_cancelled(async { Ok(work.await) }).await? {
                Ok((value, id)) => {
                    sink.done(ended(intent, Some(id))).await?;
                    Ok(value)
                }
                Err(not_created) => {
                    if !not_created.may_exist() {
                        sink.done(ended(intent, None)).await?;
                    }
                    Err(not_created.failure)
                }
            }
        })
        .await
    }

    async fn through<T>(
        self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let gate = self.gate;
        let over = gate.take().err();
        // Only the first call above the limit is recorded: there may be any number of them.
        if over.as_ref().is_some_and(|over| !over.first) {
            return Err(gate.too_many());
        }
        let mut record = Recorder::new(
            &gate.step,
            self.capability.as_str(),
            self.function.name,
            self.target,
        );
        let verdict = over.map_or(self.verdict, |_| Err(gate.too_many()));
        if let Err(failure) = verdict {
            return Err(record.failed(failure));
        }
        record.allowed();
        // Before the work, because the work allocates.
        let room = match gate.charge(self.function).await {
            Ok(room) => room,
            Err(failure) => return Err(record.failed(failure)),
        };
        if self.capability.is_remote() {
            gate.shown.note(Evidence::Contact);
        }
        let result = work.await;
        gate.end(room);
        match result {
            Ok(value) => {
                record.succeeded();
                Ok(value)
            }
            Err(failure) => Err(record.failed(failure)),
        }
    }
}

fn ended(intent: IntentId, id: Option<String>) -> Done {
    Done {
        intent,
        id,
        removed: false,
    }
}

fn holds_secret(masks: &Masks, intent: &NewIntent) -> bool {
    let place = serde_json::to_value(&intent.location).unwrap_or_default();
    masks.found_in(&intent.name) || masks.find(&place).is_some()
}
