//! The queue of lines. A separate thread writes them, so that a blocked terminal does not block a
//! run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::Write;

/// The maximum number of lines in the queue.
const LONGEST: usize = 8192;

/// An entry of the queue.
enum Waiting {
    Line(String),
    /// Answered when all earlier entries are written.
    Flush(SyncSender<()>),
}

/// A queue of lines.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    send: SyncSender<Waiting>,
    lost: Arc<AtomicU64>,
    whole: bool,
}

impl Queue {
    /// Starts to write lines, one at a time, until the queue is dropped. If `whole`, adding a line
    /// to a full queue blocks.
    pub(crate) fn start(write: Write, whole: bool) -> Self {
        let (send, receive) = sync_channel(LONGEST);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        thread::spawn(move || work(&receive, &counted, write));
        Self { send, lost, whole }
    }

    /// Adds a line. If the queue is full, the line is counted and lost, unless the queue is
    /// `whole`.
    pub(crate) fn push(&self, line: String) {
        let line = Waiting::Line(line);
        let sent = if self.whole {
            self.send.send(line).is_ok()
        } else {
            self.send.try_send(line).is_ok()
        };
        if !sent {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all added lines are written, at most `patience`.
    pub(crate) fn flush(&self, patience: Duration) {
        let (done, wait) = sync_channel(1);
        if self.send.try_send(Waiting::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(patience);
        }
    }
}

fn work(receive: &Receiver<Waiting>, lost: &AtomicU64, mut write: Write) {
    for waiting in receive {
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 {
            write(&format!(
                "{missing} log lines are missing here: they were logged faster than they could be written"
            ));
        }
        match waiting {
            Waiting::Line(line) => write(&line),
            Waiting::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn who_logs_never_waits_and_what_is_lost_is_counted() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let (go, wait) = channel::<()>();
        let kept = Arc::clone(&written);
        let mut first = true;
        let queue = Queue::start(
            Box::new(move |line| {
                if std::mem::take(&mut first) {
                    wait.recv().expect("it goes on");
                }
                kept.lock().expect("not poisoned").push(line.to_owned());
            }),
            false,
        );
        // No line is accepted, and the flush ends all the same.
        for number in 0..=LONGEST + 10 {
            queue.push(number.to_string());
        }
        queue.flush(Duration::ZERO);
        go.send(()).expect("it waits");
        queue.flush(Duration::from_mins(1));
        while queue.lost.load(Ordering::Relaxed) > 0 {
            queue.flush(Duration::from_mins(1));
        }
        let written = written.lock().expect("not poisoned");
        let lines = written.iter().filter(|line| !line.contains("missing"));
        let missing: usize = written
            .iter()
            .filter_map(|line| {
                line.strip_suffix(
                    " log lines are missing here: they were logged faster than they could be written",
                )
            })
            .map(|count| count.parse::<usize>().expect("a number"))
            .sum();
        assert_eq!(lines.count() + missing, LONGEST + 11);
        assert!(missing >= 9, "{missing}");
    }
}
