//! Passes events to their reporters. The run never waits for a reporter, and memory use is limited:
//! events that a slow reader has not taken are read back from the journal later.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use sidestep_events::{Envelope, Event, Foreign};
use sidestep_state::{Events, RunFolder, StateError, Told};

/// The maximum size of the events held for a reader, by [`weight`]: some thousands of events.
const MOST: usize = 8 * 1024 * 1024;

/// The sending side of the reports. It never blocks.
#[derive(Debug)]
pub(crate) struct Outlet(Arc<Shared>);

/// The events of a run, each once and in order, as they happen. `next` blocks until there is an
/// event or the run is over.
///
/// A slow reader, or one that does not read at all, does not slow down the run.
#[derive(Debug)]
pub struct Reports {
    shared: Arc<Shared>,
    folder: RunFolder,
    /// The events that are being read back, and the number of the first one to return.
    back: Option<(Events, u64)>,
    trouble: Option<StateError>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// The events that were not read yet, oldest first: `held`, then those in the journal at `behind`,
/// then `late`.
#[derive(Debug, Default)]
struct Waiting {
    held: Queue,
    /// The range of journal records of the events that found no room, and the number of the first
    /// such event, since its record may also hold earlier events.
    behind: Option<(Range<u64>, u64)>,
    /// Events that the journal could not take.
    late: Queue,
    closed: bool,
    /// Whether the reader was dropped.
    forsaken: bool,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<(Envelope, usize)>,
    weight: usize,
}

/// Creates an outlet and its reader. `folder` is the run's.
pub(crate) fn reports(folder: RunFolder) -> (Outlet, Reports) {
    let shared = Arc::new(Shared::default());
    let reports = Reports {
        shared: Arc::clone(&shared),
        folder,
        back: None,
        trouble: None,
    };
    (Outlet(shared), reports)
}

impl Outlet {
    /// Sends an event that is in the journal at `place`, or `None` if it could not be journaled.
    pub(crate) fn send(&self, envelope: Envelope, place: Option<Range<u64>>) {
        self.send_all(vec![envelope], place);
    }

    /// Sends the events of one record, in order.
    pub(crate) fn send_all(&self, envelopes: Vec<Envelope>, place: Option<Range<u64>>) {
        let mut waiting = self.0.lock();
        if waiting.forsaken {
            return;
        }
        for envelope in envelopes {
            let weight = weight(&envelope);
            let room = waiting.held.weight + weight <= MOST && waiting.late.events.is_empty();
            match (&mut waiting.behind, &place) {
                (None, _) if room => waiting.held.push(envelope, weight),
                (Some((behind, _)), Some(place)) => behind.end = place.end,
                (behind @ None, Some(place)) => *behind = Some((place.clone(), envelope.seq)),
                (_, None) => waiting.late.push(envelope, weight),
            }
        }
        drop(waiting);
        self.0.changed.notify_all();
    }

    /// Returns whether the events that are held exceed the limit.
    pub(crate) fn is_full(&self) -> bool {
        let waiting = self.0.lock();
        waiting.held.weight + waiting.late.weight > MOST
    }

    /// Returns the weight of all held events.
    #[cfg(test)]
    fn weight(&self) -> usize {
        let waiting = self.0.lock();
        waiting.held.weight + waiting.late.weight
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl Reports {
    /// Returns the error of reading events back from the journal, if there was one. Those events
    /// are missing from the reports.
    pub fn into_trouble(mut self) -> Option<StateError> {
        self.trouble.take()
    }

    /// Returns the next of the events that are being read back.
    fn read_back(&mut self) -> Option<Envelope> {
        let (events, first) = self.back.as_mut()?;
        loop {
            match events.next_told() {
                Ok(Some(Told::Event(envelope) | Told::Textless(envelope)))
                    if envelope.seq >= *first =>
                {
                    return Some(*envelope);
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => {
                    self.trouble = Some(error);
                    break;
                }
            }
        }
        self.back = None;
        None
    }
}

impl Iterator for Reports {
    type Item = Envelope;

    fn next(&mut self) -> Option<Envelope> {
        loop {
            if let Some(envelope) = self.read_back() {
                return Some(envelope);
            }
            let mut waiting = self.shared.lock();
            if let Some(envelope) = waiting.held.pop() {
                return Some(envelope);
            }
            waiting.held = std::mem::take(&mut waiting.late);
            if let Some((behind, first)) = waiting.behind.take() {
                drop(waiting);
                match self.folder.events_between(behind.start, behind.end) {
                    Ok(events) => self.back = Some((events, first)),
                    Err(error) => self.trouble = Some(error),
                }
            } else if waiting.held.events.is_empty() {
                if waiting.closed {
                    return None;
                }
                drop(
                    self.shared
                        .changed
                        .wait(waiting)
                        .unwrap_or_else(PoisonError::into_inner),
                );
            }
        }
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        *self.shared.lock() = Waiting {
            forsaken: true,
            ..Waiting::default()
        };
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, envelope: Envelope, weight: usize) {
        self.events.push_back((envelope, weight));
        self.weight += weight;
    }

    fn pop(&mut self) -> Option<Envelope> {
        let (envelope, weight) = self.events.pop_front()?;
        self.weight -= weight;
        Some(envelope)
    }
}

/// Returns roughly how many bytes an event takes in memory. Only log lines can come in unlimited
/// numbers. Other events are rare, so they all count as large.
fn weight(envelope: &Envelope) -> usize {
    let names = [&envelope.step, &envelope.instance];
    let names: usize = names
        .iter()
        .filter_map(|name| name.as_ref())
        .map(Foreign::len)
        .sum();
    1024 + names
        + match &envelope.event {
            // A field is a tree node with a name and a value.
            Event::Log(line) => line.message.len() + 256 * line.fields.len(),
            Event::HostCall(call) => call.target.len() + call.function.len(),
            Event::Progress(_) | Event::GroupFinished {} => 0,
            _ => 8 * 1024,
        }
}

#[cfg(test)]
mod tests;
