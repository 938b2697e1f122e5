//! The point at which an instance starts or resumes.

use std::collections::BTreeMap;

use serde_json::Value;
use sidestep_state::InstanceHistory;

/// The point at which an instance starts or resumes.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// The number of the attempt, from 1.
    pub(crate) attempt: u32,
    /// The incarnation of the attempt to start.
    pub(crate) incarnation: Incarnation,
    /// The attempt's outputs, if only the record of its end was lost.
    pub(crate) outputs: Option<Value>,
}

/// The state that an attempt's next incarnation inherits.
#[derive(Debug, Clone)]
pub(crate) struct Incarnation {
    /// The incarnation's number, from 1.
    pub(crate) number: u32,
    /// The plugin's last checkpoint.
    pub(crate) checkpoint: Option<Value>,
    /// The positions reached in followed logs, by pod, then by container.
    pub(crate) positions: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Incarnation {
    /// Returns the first incarnation of an attempt.
    pub(crate) fn first() -> Self {
        Self {
            number: 1,
            checkpoint: None,
            positions: BTreeMap::new(),
        }
    }
}

impl Start {
    /// Returns where to continue after the known history. An attempt that never ended resumes in a
    /// new incarnation; otherwise the next attempt begins. An attempt that already has outputs only
    /// has to be ended: its work is not repeated.
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

    /// Returns whether the attempt is resumed, and so still owns its external objects.
    pub(crate) fn owns(&self, attempt: u32) -> bool {
        self.incarnation.number > 1 && self.attempt == attempt
    }
}
