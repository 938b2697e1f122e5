use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use sidestep_events::{
    Checkpoint, Class, Done, Event, Failure, Intent, IntentId, Location, LogOwner, OnExit, Owner,
    codes,
};

use crate::budget::Room;
use crate::recorder::{Recorder, Scope};

/// The maximum size of a checkpoint, in bytes of JSON.
const MAX_CHECKPOINT: usize = 64 * 1024;

/// Records what one incarnation of an attempt does. Its input is already masked.
#[derive(Debug)]
pub struct AttemptSink {
    recorder: Arc<Recorder>,
    scope: Scope,
    owner: LogOwner,
    room: Room,
    /// Intents of earlier calls or incarnations that this one reuses. Their objects may already
    /// exist.
    taken_up: Mutex<HashSet<IntentId>>,
}

impl AttemptSink {
    pub(crate) fn new(
        recorder: Arc<Recorder>,
        step: &str,
        instance: &str,
        attempt: u32,
        incarnation: u32,
    ) -> Self {
        Self {
            room: recorder.room(instance),
            recorder,
            scope: Scope::instance(step, instance).attempt(attempt, incarnation),
            owner: LogOwner {
                step: step.to_owned(),
                instance: instance.to_owned(),
                attempt,
                incarnation,
            },
            taken_up: Mutex::default(),
        }
    }

    /// Records an event. A log line goes to the attempt's log file.
    ///
    /// Nothing more is kept once the attempt has used up its room; see
    /// [`exhausted`](Self::exhausted).
    pub fn event(&self, event: Event) {
        match event {
            Event::Log(line) => self.recorder.line(&self.owner, line, &self.room),
            event => self.recorder.say(&self.scope, event, &self.room),
        }
    }

    /// Returns why nothing more of the attempt is kept, if that is so.
    pub fn exhausted(&self) -> Option<Failure> {
        self.room.failure()
    }

    /// Waits until nothing more of the attempt is kept, and returns why.
    pub(crate) async fn until_exhausted(&self) -> Failure {
        self.room.filled().await
    }

    /// Records that an external object is about to be created. When this returns, the record
    /// survives a crash. A resumed incarnation that reuses its predecessor's object gets the same
    /// id.
    ///
    /// Fails when the journal can't be written; then the object must not be created.
    pub fn intent(
        &self,
        kind: &str,
        location: Location,
        name: &str,
        on_exit: OnExit,
        expiry: Option<Timestamp>,
    ) -> Result<IntentId, Failure> {
        let make = |id| Intent {
            id,
            instance: self.owner.instance.as_str().into(),
            attempt: self.owner.attempt,
            kind: kind.into(),
            location: location.clone(),
            name: name.into(),
            on_exit,
            expiry,
        };
        match self.recorder.known_intent(&make(IntentId(0))) {
            Some(id) => {
                self.taken_up().insert(id);
                Ok(id)
            }
            None => self.recorder.intent(make, &self.room),
        }
    }

    /// Records that the object was created (`id` is its uid or generation), was not created after
    /// all (no `id`), or was removed again. If a call created nothing, an intent that it reused
    /// stays open, since another call may have created the object.
    pub fn done(&self, intent: IntentId, id: Option<String>, removed: bool) -> Result<(), Failure> {
        if id.is_none() && !removed && self.taken_up().contains(&intent) {
            return Ok(());
        }
        self.recorder.done(Done {
            intent,
            id,
            removed,
        })
    }

    fn taken_up(&self) -> MutexGuard<'_, HashSet<IntentId>> {
        self.taken_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores the plugin's state for a later incarnation of this attempt.
    ///
    /// Fails when it is larger than 64 KiB, or when the journal can't be written.
    pub fn checkpoint(&self, state: Value) -> Result<(), Failure> {
        let size = state.to_string().len();
        if size > MAX_CHECKPOINT {
            return Err(Failure::new(
                Class::InvalidInput,
                codes::checkpoint::TOO_LARGE,
                Owner::Plugin,
                format!("the checkpoint has {size} bytes; at most {MAX_CHECKPOINT} are allowed"),
            ));
        }
        let checkpoint = Checkpoint {
            instance: self.owner.instance.clone(),
            attempt: self.owner.attempt,
            state,
        };
        self.recorder.checkpoint(checkpoint, &self.room)
    }
}
