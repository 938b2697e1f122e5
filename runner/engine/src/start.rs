//! Where an instance takes up.

use std::collections::BTreeMap;

use serde_json::Value;
use sidestep_state::InstanceHistory;

/// Where an instance takes up.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// The attempt, from 1.
    pub(crate) attempt: u32,
    /// What of it is taken up.
    pub(crate) incarnation: Incarnation,
    /// What the attempt's work came to, if only its end was lost.
    pub(crate) outputs: Option<Value>,
}

/// What an attempt's next incarnation knows.
#[derive(Debug, Clone)]
pub(crate) struct Incarnation {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// What the plugin stored last.
    pub(crate) checkpoint: Option<Value>,
    /// Where the reading of followed logs stood.
    pub(crate) positions: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Incarnation {
    /// The first one of an attempt.
    pub(crate) fn first() -> Self {
        Self {
            number: 1,
            checkpoint: None,
            positions: BTreeMap::new(),
        }
    }
}

impl Start {
    /// An attempt that never ended goes on in a new incarnation; else the next one begins. One that
    /// had its outputs already has only its end before it: its work is not done twice.
    pub(crate) fn after(known: Option<&InstanceHistory>) -> Self {
        let attempts = known.map_or(&[][..], |known| &known.attempts);
        let count = u32::try_from(attempts.len()).unwrap_or(u32::MAX);
        match attempts.last() {
            Some(last) if !last.finished || last.outputs.is_some() => Self {
                attempt: count,
                incarnation: Incarnation {
                    number: last.incarnations + 1,
                    checkpoint: last.checkpoint.clone(),
                    positions: last.positions.clone(),
                },
                outputs: last.outputs.clone(),
            },
            _ => Self {
                attempt: count.saturating_add(1),
                incarnation: Incarnation::first(),
                outputs: None,
            },
        }
    }

    /// Whether an attempt is taken up whose outside objects are still its own.
    pub(crate) fn owns(&self, attempt: u32) -> bool {
        self.incarnation.number > 1 && self.attempt == attempt
    }
}
