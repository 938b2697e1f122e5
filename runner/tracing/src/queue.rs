//! The queue of lines. A separate thread writes them, so that a blocked terminal does not block a
//! run.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::Write;

/// The maximum size of the lines in the queue together, in bytes. A longer line waits alone.
const MOST: usize = 4 * 1024 * 1024;

/// A queue of lines. The writer ends when the last copy is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Queue(Arc<Sender>);

#[derive(Debug)]
struct Sender {
    shared: Arc<Shared>,
    whole: bool,
}

/// The state that senders and the writer share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<String>,
    /// The size of the lines, in bytes.
    size: usize,
    /// The number of lines that were lost after the last one in the queue.
    lost: u64,
    is_writing: bool,
    is_closed: bool,
}

impl Queue {
    /// Starts to write lines, one at a time, until the queue is dropped. If `whole`, adding a line
    /// to a full queue blocks.
    pub(crate) fn start(write: Write, whole: bool) -> Self {
        let shared = Arc::new(Shared::default());
        let sender = Sender {
            shared: Arc::clone(&shared),
            whole,
        };
        thread::spawn(move || shared.work(write));
        Self(Arc::new(sender))
    }

    /// Adds a line. If the queue is full, the line is counted and lost, unless the queue is
    /// `whole`.
    pub(crate) fn push(&self, line: String) {
        let Sender { shared, whole } = &*self.0;
        let mut state = shared.state();
        if *whole {
            let full = |state: &mut State| state.is_full(&line);
            state = shared
                .changed
                .wait_while(state, full)
                .unwrap_or_else(PoisonError::into_inner);
        } else if state.is_full(&line) {
            state.lost += 1;
            return;
        }
        state.note_lost();
        state.add(line);
        shared.changed.notify_all();
    }

    /// Waits until all added lines are written, at most `patience`.
    pub(crate) fn flush(&self, patience: Duration) {
        let shared = &self.0.shared;
        let waiting = |state: &mut State| state.has_work() || state.is_writing;
        drop(
            shared
                .changed
                .wait_timeout_while(shared.state(), patience, waiting),
        );
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.shared.state().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Locks the state. No code that holds it can panic halfway through a change.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes lines until the queue is closed and empty.
    fn work(&self, mut write: Write) {
        let mut state = self.state();
        loop {
            let idle = |state: &mut State| !state.has_work() && !state.is_closed;
            state = self
                .changed
                .wait_while(state, idle)
                .unwrap_or_else(PoisonError::into_inner);
            if state.lines.is_empty() {
                state.note_lost();
            }
            let Some(line) = state.take() else {
                return;
            };
            state.is_writing = true;
            drop(state);
            self.changed.notify_all();
            write(&line);
            state = self.state();
            state.is_writing = false;
            self.changed.notify_all();
        }
    }
}

impl State {
    fn has_work(&self) -> bool {
        !self.lines.is_empty() || self.lost > 0
    }

    fn is_full(&self, line: &str) -> bool {
        !self.lines.is_empty() && self.size + line.len() > MOST
    }

    /// Adds a line that states how many were lost here.
    fn note_lost(&mut self) {
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            self.add(format!(
                "log lines that are missing here, because they were logged faster than they could be written: {lost}"
            ));
        }
    }

    fn add(&mut self, line: String) {
        self.size += line.len();
        self.lines.push_back(line);
    }

    fn take(&mut self) -> Option<String> {
        let line = self.lines.pop_front()?;
        self.size -= line.len();
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Returns a writer that writes a line for each permission, its permissions, and its lines.
    fn writer() -> (Write, Sender<()>, Receiver<String>) {
        let ((permit, permitted), (written, lines)) = (channel(), channel());
        let write = move |line: &str| {
            // Without its test, it writes no more.
            let _ = permitted.recv();
            let _ = written.send(line.to_owned());
        };
        (Box::new(write), permit, lines)
    }

    /// Waits until the writer has taken a line, so that the queue is empty and stays so: which
    /// lines are lost then depends on their sizes alone.
    fn until_it_writes(queue: &Queue) {
        let shared = &queue.0.shared;
        let state = shared
            .changed
            .wait_while(shared.state(), |state| !state.is_writing)
            .expect("no panic of the writer");
        assert!(state.lines.is_empty());
    }

    #[test]
    fn logging_never_waits_and_lost_lines_are_counted_where_they_are_missing() {
        let (write, permit, lines) = writer();
        let queue = Queue::start(write, false);
        let long = |c: &str| c.repeat(MOST / 4);
        queue.push("first".to_owned());
        until_it_writes(&queue);
        for c in ["a", "b", "c", "d", "e", "f", "g"] {
            queue.push(long(c));
        }
        for _ in 0..20 {
            permit.send(()).expect("the writer waits");
        }
        queue.flush(Duration::from_mins(1));
        queue.push("last".to_owned());
        queue.flush(Duration::from_mins(1));
        let written: Vec<_> = lines.try_iter().collect();
        let missing = "log lines that are missing here, because they were logged faster than they could be written: ";
        let (note, rest): (Vec<_>, Vec<_>) =
            written.iter().partition(|line| line.starts_with(missing));
        let lost: usize = note
            .iter()
            .map(|line| {
                line.strip_prefix(missing)
                    .expect("a note")
                    .parse::<usize>()
                    .expect("a number")
            })
            .sum();
        // Four fit.
        assert_eq!(lost, 3);
        assert_eq!(rest.len(), 1 + 4 + 1);
        assert_eq!(rest.last().expect("a line").as_str(), "last");
        assert!(written[written.len() - 2].starts_with(missing));
    }

    #[test]
    fn a_full_queue_is_flushed_as_well_and_its_end_is_counted() {
        let (write, permit, lines) = writer();
        let queue = Queue::start(write, false);
        queue.push("x".to_owned());
        until_it_writes(&queue);
        for _ in 0..2 {
            queue.push("x".repeat(MOST));
        }
        for _ in 0..5 {
            permit.send(()).expect("the writer waits");
        }
        queue.flush(Duration::from_mins(1));
        let written: Vec<_> = lines.try_iter().collect();
        assert_eq!(written.len(), 3);
        assert!(written[2].ends_with("than they could be written: 1"));
    }

    #[test]
    fn a_flush_of_a_blocked_writer_ends() {
        let (write, _permit, _lines) = writer();
        let queue = Queue::start(write, false);
        queue.push("x".to_owned());
        queue.flush(Duration::ZERO);
    }

    #[test]
    fn a_whole_queue_waits_and_loses_nothing() {
        let (write, permit, lines) = writer();
        let queue = Queue::start(write, true);
        let copy = queue.clone();
        let pushing = thread::spawn(move || {
            for _ in 0..6 {
                copy.push("x".repeat(MOST));
            }
        });
        for _ in 0..6 {
            permit.send(()).expect("the writer waits");
        }
        pushing.join().expect("no panic");
        queue.flush(Duration::from_mins(1));
        assert_eq!(lines.try_iter().count(), 6);
    }

    #[test]
    fn a_dropped_queue_writes_its_lines_and_ends_its_writer() {
        let (write, permit, lines) = writer();
        let queue = Queue::start(write, false);
        queue.push("x".to_owned());
        drop(queue);
        permit.send(()).expect("the writer waits");
        // The writer's end drops the channel.
        assert_eq!(lines.iter().collect::<Vec<_>>(), ["x"]);
    }
}
