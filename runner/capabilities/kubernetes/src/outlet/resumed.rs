//! A log that is read over any connections, by any number of incarnations, is stored byte by byte.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use sidestep_gate_testing::{Kept, Record, step};
use sidestep_policy::Capability;

use super::*;
use crate::follow::{Reading, Taken};

/// `ab` three times contains the last secret twice, overlapping.
const SECRETS: [&str; 3] = ["s3cr\u{e9}t", "abab", "bbabaa"];

/// The output of a container: lines, and whether the last one has its end.
#[derive(Debug, Clone)]
struct Written {
    lines: Vec<(i64, Vec<u8>)>,
    ended: bool,
}

impl Written {
    fn times(&self) -> impl Iterator<Item = (Timestamp, &[u8], bool)> {
        let last = self.lines.len().saturating_sub(1);
        let lines = self.lines.iter().enumerate();
        lines.scan(1_780_000_000_000, move |time, (index, (step, text))| {
            *time += step;
            let stamp = Timestamp::from_millisecond(*time).expect("a time");
            Some((stamp, text.as_slice(), index < last || self.ended))
        })
    }

    /// Returns the bytes that the API server sends to a reader at that position.
    fn sent(&self, from: Position) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (stamp, text, ended) in self.times() {
            if from.since().is_none_or(|since| stamp >= since) {
                bytes.extend_from_slice(format!("{stamp:.9} ").as_bytes());
                bytes.extend_from_slice(text);
                bytes.extend_from_slice(if ended { b"\n" } else { b"" });
            }
        }
        bytes
    }

    /// Returns the bytes that must be stored.
    fn masked(&self, masks: &sidestep_gate::Masks) -> Vec<u8> {
        let lines = self.times().map(|(_, text, ended)| {
            let mut line = masks.bytes(text).unwrap_or_else(|| text.to_vec());
            line.extend_from_slice(if ended { b"\n" } else { b"" });
            line
        });
        lines.collect::<Vec<_>>().concat()
    }
}

/// One connection: the number of bytes that arrive, and the size of the chunks.
#[derive(Debug, Clone, Copy)]
struct Connection {
    bytes: usize,
    chunk: usize,
}

/// One incarnation: its connections, and the number of its records in the journal when it is
/// killed.
#[derive(Debug, Clone)]
struct Incarnation {
    connections: Vec<Connection>,
    journaled: usize,
}

/// The contents of the journal and the log file.
#[derive(Default)]
struct Stored {
    bytes: Vec<u8>,
    position: Position,
}

impl Stored {
    fn keep(&mut self, kept: &Kept, records: usize) {
        for record in kept.records().into_iter().take(records) {
            if let Record::Event(Event::Log(log)) = record {
                self.bytes.extend_from_slice(log.message.bytes());
                self.bytes.extend_from_slice(log.end.bytes());
                if let Some(position) = log.field(log_field::POSITION) {
                    self.position = serde_json::from_value(position.clone()).expect("a position");
                }
            }
        }
    }
}

fn outlet(from: Position) -> (StepOutlet, Arc<Kept>) {
    let (step, kept) = step(
        Capability::Kubernetes,
        &json!([{ "cluster": "c", "namespace": "n" }]),
    );
    for secret in SECRETS {
        step.masks.add(secret).expect("maskable");
    }
    let positions = HashMap::from([("main".to_owned(), from)]);
    (StepOutlet::new(step, "n/pod".to_owned(), &positions), kept)
}

/// Reads the log over these connections; the last one, if any, to its end.
fn read(outlet: &StepOutlet, written: &Written, from: Position, over: &[Connection], whole: bool) {
    let mut position = from.without_part();
    for (index, connection) in over.iter().enumerate() {
        let last = whole && index + 1 == over.len();
        let mut sent = written.sent(position);
        if !last {
            sent.truncate(connection.bytes);
        }
        let mut reading = Reading::new(position, 16);
        let mut take = |taken: Taken| match taken {
            Taken::Gap(_) => panic!("nothing is missing"),
            Taken::Piece(piece, to) => {
                position = to;
                outlet.piece("main", &piece, to);
            }
        };
        for chunk in sent.chunks(connection.chunk) {
            reading.push(chunk, &mut take);
        }
        if last {
            assert_eq!(reading.finish(true, &mut take), None);
        }
    }
}

fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        3 => prop::sample::select(&SECRETS[..]).prop_map(|secret| secret.as_bytes().to_vec()),
        2 => Just(b"abababab".to_vec()),
        2 => Just("\u{65e5}\u{672c}\u{1b}[32m".as_bytes().to_vec()),
        1 => Just(b"\0\r\x1b]".to_vec()),
        3 => prop::collection::vec(any::<u8>().prop_map(|byte| if byte == b'\n' { b'\r' } else { byte }), 0..40),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn any_written() -> impl Strategy<Value = Written> {
    let line = (prop_oneof![Just(0_i64), Just(300), Just(1500)], any_text());
    (prop::collection::vec(line, 1..5), any::<bool>())
        .prop_map(|(lines, ended)| Written { lines, ended })
        // A last line without bytes and without an end is not a line.
        .prop_filter("a last line", |written| {
            written.ended
                || written
                    .lines
                    .last()
                    .is_some_and(|(_, text)| !text.is_empty())
        })
}

fn any_connections() -> impl Strategy<Value = Vec<Connection>> {
    let one = (0_usize..600, 1_usize..80).prop_map(|(bytes, chunk)| Connection { bytes, chunk });
    prop::collection::vec(one, 1..4)
}

proptest! {
    #[test]
    fn any_bytes_split_cut_and_resumed_anywhere_are_stored_as_they_are(
        written in any_written(),
        killed in prop::collection::vec(
            (any_connections(), 0_usize..12)
                .prop_map(|(connections, journaled)| Incarnation { connections, journaled }),
            0..4,
        ),
        last in any_connections(),
    ) {
        let mut stored = Stored::default();
        for incarnation in killed {
            let (outlet, kept) = outlet(stored.position);
            read(&outlet, &written, stored.position, &incarnation.connections, false);
            stored.keep(&kept, incarnation.journaled);
        }
        let (outlet, kept) = outlet(stored.position);
        read(&outlet, &written, stored.position, &last, true);
        stored.keep(&kept, usize::MAX);
        let expected = written.masked(&outlet.step.masks);
        prop_assert!(
            stored.bytes == expected,
            "{:?}\nis not\n{:?}",
            String::from_utf8_lossy(&stored.bytes),
            String::from_utf8_lossy(&expected)
        );
    }
}

#[test]
fn a_line_that_is_gone_after_a_kill_takes_nothing_from_the_next() {
    let long = Written {
        lines: vec![(0, vec![b'x'; 200])],
        ended: true,
    };
    let (first, kept) = outlet(Position::default());
    let cut = [Connection {
        bytes: 120,
        chunk: 120,
    }];
    read(&first, &long, Position::default(), &cut, false);
    let mut stored = Stored::default();
    stored.keep(&kept, usize::MAX);
    assert!(stored.position.part.is_some(), "the line is under way");

    let next = Written {
        lines: vec![(5000, b"next".to_vec())],
        ended: true,
    };
    let (second, kept) = outlet(stored.position);
    read(&second, &next, stored.position, &cut, true);
    let ends: Vec<_> = kept
        .records()
        .into_iter()
        .filter_map(|record| match record {
            Record::Event(Event::Log(log)) => Some((log.message.text().into_exact(), log.end)),
            _ => None,
        })
        .collect();
    assert_eq!(
        ends,
        [
            (String::new(), LineEnd::Missing),
            ("next".to_owned(), LineEnd::Feed)
        ]
    );
}
