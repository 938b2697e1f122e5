//! Follows a pod: its states, its events and its containers' logs, until it has ended.
//!
//! The log's bytes go to an [`Outlet`]; only states, events and the lines that match a registered
//! pattern become [`Update`]s.

mod evidence;
mod lines;
mod logs;
mod passage;
mod reading;
mod resume;
mod tail;
mod watch;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use kube::Client;
use regex::Regex;
use sidestep_events::Failure;
use sidestep_gate::{Following, Shown, Update};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

pub use lines::{PIECE, Piece};
#[cfg(test)]
pub(crate) use reading::{Reading, Taken};
pub use sidestep_gate::{Part, Position};

use tail::Tail;

/// The maximum length of the reported text of a match, in bytes.
const LONGEST_MATCH: usize = 4 * 1024;
/// The maximum number of updates in the queue; when it is full, the watch waits.
const UPDATES: usize = 256;
/// The maximum size of all updates in the queue, as JSON, in bytes. A larger one is alone in it.
const QUEUED: usize = 128 << 10;
/// The host's memory of one follow without its patterns, in bytes: the queue's updates as trees, and
/// the last lines of a few containers.
pub const PRICE: usize = 8 * QUEUED;

/// Splits a log that arrives in chunks of this many bytes, and returns the text of each line.
#[cfg(any(test, fuzzing))]
pub(crate) fn cut(log: &[u8], size: usize) -> Vec<(Option<jiff::Timestamp>, Vec<u8>)> {
    let mut cutter = lines::Lines::of(PIECE);
    let mut cuts: Vec<lines::Cut> = log
        .chunks(size)
        .flat_map(|chunk| cutter.push(chunk))
        .collect();
    cuts.extend(cutter.finish());
    let mut lines: Vec<(Option<jiff::Timestamp>, Vec<u8>)> = Vec::new();
    for cut in cuts {
        let (stamp, bytes, first) = match cut {
            lines::Cut::Piece(piece) => (Some(piece.stamp), piece.bytes, piece.first),
            lines::Cut::Unstamped(bytes) => (None, bytes, true),
        };
        if first {
            lines.push((stamp, Vec::new()));
        }
        if let Some((_, text)) = lines.last_mut() {
            text.extend(bytes);
        }
    }
    // All unstamped text from the node is one text.
    lines.dedup_by(|next, last| {
        let both = next.0.is_none() && last.0.is_none();
        if both {
            last.1.append(&mut next.1);
        }
        both
    });
    lines
}

/// The pod to follow, and the options of the follow.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The pod's uid; another pod of the same name is not followed.
    pub uid: Option<String>,
    /// The containers whose logs are read; the follow ends when they end. Empty: all of them.
    pub containers: Vec<String>,
    /// The patterns of the lines to report, by name.
    pub patterns: Vec<(String, Regex)>,
    /// Whether events about the pod are watched.
    pub events: bool,
    /// The positions where an earlier incarnation stopped reading, by container.
    pub positions: HashMap<String, Position>,
}

/// A place in a log where lines may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The time of the last line before it.
    pub after: Timestamp,
    /// The time of the first line after it.
    pub before: Timestamp,
}

/// The receiver of the log.
pub trait Outlet: Send + Sync + 'static {
    /// Stores a piece of a container's log. `position` is where to resume once the piece is stored.
    ///
    /// A line of which an earlier incarnation stored a part is passed from its beginning again.
    fn piece(&self, container: &str, piece: &Piece, position: Position);

    /// Returns the text without the known secrets. A text that is not whole was cut at its end,
    /// perhaps within a secret.
    fn mask(&self, text: &str, whole: bool) -> String;

    /// Reports that lines may be missing before the next piece: the log was rotated, or its
    /// container restarted, before they were read.
    fn gap(&self, container: &str, gap: Gap);

    /// Reports that the pod's events can't be watched, and why.
    fn without_events(&self, why: &str);

    /// Reports that the rest of a container's log could not be read, and why.
    fn cut_off(&self, container: &str, why: &str);
}

/// A pod that is being followed. Dropping it ends the follow, not the pod.
pub struct PodFollow {
    updates: mpsc::Receiver<Queued>,
    shared: Arc<Shared>,
    end: Option<Result<Update, Failure>>,
    task: JoinHandle<()>,
}

impl Drop for PodFollow {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl PodFollow {
    /// Starts to follow; the evidence of the pod is recorded in `shown`.
    pub fn start(
        client: Client,
        target: Target,
        outlet: Arc<dyn Outlet>,
        shown: Arc<Shown>,
    ) -> Self {
        let (sender, updates) = mpsc::channel(UPDATES);
        let shared = Arc::new(Shared {
            tails: Mutex::default(),
            patterns: target.patterns.clone(),
            outlet,
            updates: sender,
            queue: Arc::new(Semaphore::new(QUEUED)),
            shown,
            transient: AtomicBool::new(false),
        });
        let task = tokio::spawn(watch::follow(client, target, Arc::clone(&shared)));
        Self {
            updates,
            shared,
            end: None,
            task,
        }
    }
}

#[async_trait]
impl Following for PodFollow {
    async fn next(&mut self, timeout: Duration) -> Result<Option<Update>, Failure> {
        if let Some(end) = &self.end {
            return end.clone().map(Some);
        }
        let Ok(update) = tokio::time::timeout(timeout, self.updates.recv()).await else {
            return Ok(None);
        };
        let update = update.map_or_else(
            || {
                Err(Failure::bug(
                    "the task that follows a pod ended without a last update",
                ))
            },
            |queued| queued.update,
        );
        if matches!(update, Err(_) | Ok(Update::Ended(_))) {
            self.end = Some(update.clone());
        }
        update.map(Some)
    }

    async fn tail(&mut self, container: &str, max: usize) -> Result<String, Failure> {
        let tails = self
            .shared
            .tails
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(tails
            .get(container)
            .map(|tail| tail.last(max))
            .unwrap_or_default())
    }
}

/// An update in the queue, with its part of the queue's bytes.
struct Queued {
    update: Result<Update, Failure>,
    _room: OwnedSemaphorePermit,
}

/// The state that the tasks of one follow share.
struct Shared {
    tails: Mutex<HashMap<String, Tail>>,
    patterns: Vec<(String, Regex)>,
    outlet: Arc<dyn Outlet>,
    updates: mpsc::Sender<Queued>,
    /// The free bytes of the queue.
    queue: Arc<Semaphore>,
    shown: Arc<Shown>,
    /// Whether a line reported a transient fault.
    transient: AtomicBool,
}

impl Shared {
    /// Reports an update; waits while the queue is full.
    async fn report(&self, update: Result<Update, Failure>) {
        let bytes = u32::try_from(bytes(&update).min(QUEUED)).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.queue).acquire_many_owned(bytes).await else {
            return;
        };
        // The receiver is gone only when the follow was dropped, and this task with it.
        let _ = self
            .updates
            .send(Queued {
                update,
                _room: room,
            })
            .await;
    }

    /// Stores a piece of log. Returns the matches when it ends a line; `line` collects the line.
    fn piece(
        &self,
        container: &str,
        line: &mut Vec<u8>,
        piece: &Piece,
        position: Position,
    ) -> Vec<Update> {
        self.outlet.piece(container, piece, position);
        if piece.first {
            line.clear();
        }
        // After its first piece a line is stored, but no longer searched. One extra byte shows that
        // there was more.
        let room = (PIECE + 1).saturating_sub(line.len());
        line.extend_from_slice(&piece.bytes[..piece.bytes.len().min(room)]);
        if !piece.is_last() {
            return Vec::new();
        }
        let whole = line.len() <= PIECE;
        line.truncate(PIECE);
        let text = without_colours(&String::from_utf8_lossy(line));
        let text = self.outlet.mask(&text, whole);
        line.clear();
        if !self.transient.load(Ordering::Relaxed) && evidence::is_transient(&text) {
            self.transient.store(true, Ordering::Relaxed);
        }
        let matches = self.patterns.iter().filter_map(|(name, regex)| {
            let captures = regex.captures(&text)?;
            let found = captures.get(1).or_else(|| captures.get(0))?.as_str();
            Some(Update::Matched {
                pattern: name.clone(),
                container: container.to_owned(),
                text: found[..found.floor_char_boundary(LONGEST_MATCH)].to_owned(),
            })
        });
        let matches = matches.collect();
        let mut tails = self.tails.lock().unwrap_or_else(PoisonError::into_inner);
        tails.entry(container.to_owned()).or_default().push(text);
        matches
    }
}

/// Returns the size of an update in the queue.
fn bytes(update: &Result<Update, Failure>) -> usize {
    match update {
        Ok(Update::Status(value) | Update::Event(value) | Update::Ended(value)) => {
            value.to_string().len()
        }
        Ok(Update::Matched { text, .. }) => text.len(),
        Err(_) => 0,
    }
}

/// Returns the text without terminal control sequences (ECMA-48 CSI: `ESC [ … final byte`).
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..start]);
        let sequence = &rest[start + 2..];
        let end = sequence.find(|c: char| ('\u{40}'..='\u{7e}').contains(&c));
        rest = end.map_or("", |end| &sequence[end + 1..]);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    struct Nowhere;

    impl Outlet for Nowhere {
        fn piece(&self, _: &str, _: &Piece, _: Position) {}
        fn mask(&self, text: &str, _: bool) -> String {
            text.to_owned()
        }
        fn gap(&self, _: &str, _: Gap) {}
        fn without_events(&self, _: &str) {}
        fn cut_off(&self, _: &str, _: &str) {}
    }

    #[tokio::test]
    async fn the_queue_of_updates_is_bounded_in_bytes() {
        let (sender, mut updates) = mpsc::channel(UPDATES);
        let shared = Shared {
            tails: Mutex::default(),
            patterns: Vec::new(),
            outlet: Arc::new(Nowhere),
            updates: sender,
            queue: Arc::new(Semaphore::new(QUEUED)),
            shown: Arc::default(),
            transient: AtomicBool::new(false),
        };
        let state = |bytes: usize| Ok(Update::Status("x".repeat(bytes).into()));
        let report = |bytes| shared.report(state(bytes)).now_or_never();
        assert_eq!(report(QUEUED / 2), Some(()));
        assert_eq!(report(QUEUED / 2), None, "with its quotes it has no room");
        drop(updates.recv().await);
        // One that is too large for any queue is alone in it.
        assert_eq!(report(QUEUED * 2), Some(()));
        assert_eq!(report(1), None);
        drop(updates.recv().await);
        assert_eq!(report(1), Some(()));
    }

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(
            without_colours("\u{1b}[36mINFO\u{1b}[0m[0001] built"),
            "INFO[0001] built"
        );
        assert_eq!(without_colours("cut off \u{1b}[3"), "cut off ");
        assert_eq!(without_colours("plain ä"), "plain ä");
    }
}
