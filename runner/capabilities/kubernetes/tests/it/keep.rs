//! Stores the output of a follower.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::Client;
use sidestep_events::Failure;
use sidestep_gate::{Following as _, Shown, Update};
use sidestep_kubernetes::follow::{Gap, Outlet, Piece, PodFollow, Position, Target};

/// The received entries, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    Piece(String, Piece, Position),
    Gap(String, Gap),
    WithoutEvents(String),
    CutOff(String, String),
}

/// An outlet that stores everything, or dies after a number of pieces.
#[derive(Default)]
pub(crate) struct Book {
    entries: Mutex<Vec<Entry>>,
    /// The number of entries that are stored. Later ones are lost, as after a SIGKILL.
    room: Option<usize>,
}

impl Book {
    pub(crate) fn until(room: usize) -> Arc<Self> {
        Arc::new(Self {
            room: Some(room),
            ..Self::default()
        })
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries
            .lock()
            .expect("no test panics holding it")
            .clone()
    }

    /// Returns the positions to resume from.
    pub(crate) fn positions(&self) -> HashMap<String, Position> {
        let mut positions = HashMap::new();
        for entry in self.entries() {
            if let Entry::Piece(container, _, position) = entry {
                positions.insert(container, position);
            }
        }
        positions
    }

    fn keep(&self, entry: Entry) {
        let mut entries = self.entries.lock().expect("no test panics holding it");
        if self.room.is_none_or(|room| entries.len() < room) {
            entries.push(entry);
        }
    }
}

impl Outlet for Book {
    fn piece(&self, container: &str, piece: &Piece, position: Position) {
        self.keep(Entry::Piece(container.to_owned(), piece.clone(), position));
    }

    fn mask(&self, text: &str, _: bool) -> String {
        text.to_owned()
    }

    fn gap(&self, container: &str, gap: Gap) {
        self.keep(Entry::Gap(container.to_owned(), gap));
    }

    fn without_events(&self, why: &str) {
        self.keep(Entry::WithoutEvents(why.to_owned()));
    }

    fn cut_off(&self, container: &str, why: &str) {
        self.keep(Entry::CutOff(container.to_owned(), why.to_owned()));
    }
}

/// Returns the lines of a container, after checking that every piece belongs to a line, and that
/// every line has one beginning.
pub(crate) fn lines(entries: &[Entry], container: &str) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut open = false;
    for entry in entries {
        let Entry::Piece(of, piece, _) = entry else {
            continue;
        };
        if of != container {
            continue;
        }
        assert_eq!(piece.first, !open, "a line begins where one ended");
        if piece.first {
            lines.push(Vec::new());
        }
        let line = lines.last_mut().expect("a line has begun");
        line.extend_from_slice(&piece.bytes);
        open = !piece.is_last();
    }
    assert!(!open, "the last line has its end");
    lines
}

/// Returns all entries of a run that was killed and resumed. A partially stored line is sent again
/// from its beginning, and the stored part is dropped.
pub(crate) fn continued(killed: &Book, next: &Book, container: &str) -> Vec<Entry> {
    let mut entries = killed.entries();
    let part = killed.positions().get(container).and_then(|at| at.part);
    let mut known = part.map_or(0, |part| usize::try_from(part.bytes).expect("short"));
    let mut again = part.is_some();
    for mut entry in next.entries() {
        if let Entry::Piece(of, piece, _) = &mut entry
            && of == container
            && again
        {
            assert_eq!(Some(piece.stamp), part.map(|part| part.time));
            let dropped = known.min(piece.bytes.len());
            piece.bytes.drain(..dropped);
            known -= dropped;
            piece.first = false;
            again = !piece.is_last();
        }
        entries.push(entry);
    }
    assert!(!again, "the line was not read to its end");
    entries
}

/// Returns the pod of every test.
pub(crate) fn target() -> Target {
    Target {
        namespace: "builds".to_owned(),
        name: "build".to_owned(),
        uid: Some("u1".to_owned()),
        containers: Vec::new(),
        patterns: Vec::new(),
        events: true,
        positions: HashMap::new(),
    }
}

/// Follows to the end. Returns the updates before the end, and the end.
pub(crate) async fn follow(
    client: Client,
    target: Target,
    book: &Arc<Book>,
) -> (Vec<Update>, Result<Update, Failure>) {
    follow_noting(client, target, book, Arc::default()).await
}

/// Like [`follow`], and also records the pod's reported states.
pub(crate) async fn follow_noting(
    client: Client,
    target: Target,
    book: &Arc<Book>,
    shown: Arc<Shown>,
) -> (Vec<Update>, Result<Update, Failure>) {
    let outlet = Arc::clone(book) as Arc<dyn Outlet>;
    let mut following = PodFollow::start(client, target, outlet, shown);
    let mut updates = Vec::new();
    loop {
        // The clock advances only while everything waits, so this takes no time.
        match following.next(Duration::from_hours(1)).await {
            Ok(Some(Update::Ended(state))) => return (updates, Ok(Update::Ended(state))),
            Ok(Some(update)) => updates.push(update),
            Ok(None) => panic!("nothing happens any more: {updates:?}"),
            Err(failure) => return (updates, Err(failure)),
        }
    }
}
