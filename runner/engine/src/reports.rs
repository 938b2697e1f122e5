//! The way of events to their reporters. The run never waits for it, and it never holds more than
//! so much memory: what a reader is too slow for is read back from the journal when its turn comes.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use sidestep_events::{Envelope, Event, Foreign};
use sidestep_state::{Events, RunFolder, StateError, Told};

/// How much is held for a reader, by [`weight`]: some thousands of events.
const MOST: usize = 8 * 1024 * 1024;

/// Where events are put. Nobody waits here.
#[derive(Debug)]
pub(crate) struct Outlet(Arc<Shared>);

/// The events of a run, each once and in order, as they happen. To ask for the next one waits until
/// there is one, or until the run is over.
///
/// A reader that is slow, or does not read at all, costs the run nothing.
#[derive(Debug)]
pub struct Reports {
    shared: Arc<Shared>,
    folder: RunFolder,
    /// What is being read back, and the number of the first event that is wanted of it.
    back: Option<(Events, u64)>,
    trouble: Option<StateError>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// What was not asked for yet, oldest first: `held`, then what stands in the journal at `behind`,
/// then `late`.
#[derive(Debug, Default)]
struct Waiting {
    held: Queue,
    /// The records from that of the first event that found no room up to that of the last one so
    /// far, and the number of the first: its record may hold others before it.
    behind: Option<(Range<u64>, u64)>,
    /// Events that the journal could not take.
    late: Queue,
    closed: bool,
    /// Nobody asks any more.
    forsaken: bool,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<(Envelope, usize)>,
    weight: usize,
}

/// An outlet, and its reader. `folder` is the run's.
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
    /// Hands on an event that stands in the journal at `place`; nowhere if the journal did not
    /// take it.
    pub(crate) fn send(&self, envelope: Envelope, place: Option<Range<u64>>) {
        self.send_all(vec![envelope], place);
    }

    /// Hands on the events of one record, in their order.
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

    /// Whether more is held than should be of what the journal does not have.
    pub(crate) fn is_full(&self) -> bool {
        let waiting = self.0.lock();
        waiting.held.weight + waiting.late.weight > MOST
    }

    /// How much is held now.
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
    /// Why events that had to be read back from the journal could not be, if that happened: then
    /// they are missing.
    pub fn into_trouble(mut self) -> Option<StateError> {
        self.trouble.take()
    }

    /// The next event of those that are being read back.
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

/// About how many bytes an event takes in memory. Only lines can come without end; all else is
/// taken for large, and is rare.
fn weight(envelope: &Envelope) -> usize {
    let names = [&envelope.step, &envelope.instance];
    let names: usize = names
        .iter()
        .filter_map(|name| name.as_ref())
        .map(Foreign::len)
        .sum();
    1024 + names
        + match &envelope.event {
            // A field is a node of a tree, a name and a value.
            Event::Log(line) => line.message.len() + 256 * line.fields.len(),
            Event::HostCall(call) => call.target.len() + call.function.len(),
            Event::Progress(_) | Event::GroupFinished {} => 0,
            _ => 8 * 1024,
        }
}

#[cfg(test)]
mod tests;
