//! Groups of log lines: readers get each line exactly as it was logged.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use sidestep_events::{
    Envelope, Event, LineEnd, LogLevel, LogLine, LogOwner, LogSource, Record, TraceId, log_field,
};
use sidestep_state::{
    AttemptLog, History, JournalWriter, LineGroup, RunFolder, RunLock, Runs, Told,
};
use tempfile::TempDir;

use crate::journal::{event, header, line};

/// A run that writes lines as the engine does.
struct Run {
    _place: TempDir,
    folder: RunFolder,
    _lock: RunLock,
    journal: JournalWriter,
    logs: BTreeMap<String, AttemptLog>,
    seq: u64,
}

impl Run {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let runs = Runs::at(place.path());
        let id = "r".parse().expect("an id");
        let (folder, lock, journal) = runs.create(&id, &header("r")).expect("created");
        Self {
            _place: place,
            folder,
            _lock: lock,
            journal,
            logs: BTreeMap::new(),
            seq: 1,
        }
    }

    /// Writes one group. Returns its events as reporters see them.
    fn write(&mut self, said: &[(LogOwner, LogLine)]) -> Vec<Envelope> {
        let mut group = LineGroup::new("r", TraceId::of_run("r", None), self.seq);
        let mut cost = group.weight();
        for (owner, line) in said {
            cost += group.cost(owner, line);
            group.push(owner, line.clone());
        }
        assert_eq!(group.weight(), cost);
        let before = self.journal.length();
        let logs = &mut self.logs;
        let folder = &self.folder;
        let closed = group.close(|owner, text| {
            let log = logs.entry(owner.instance.clone()).or_insert_with(|| {
                let log = folder.attempt_log(&owner.instance, owner.attempt, None);
                log.expect("opened")
            });
            log.append(text)
        });
        let (lines, events) = closed.expect("written");
        self.journal
            .append(&Record::Lines(Box::new(lines)))
            .expect("appended");
        let took = self.journal.length() - before;
        assert!(took <= cost as u64, "{took} bytes, at most {cost} foretold");
        self.seq += said.len() as u64;
        events
    }

    fn read(&self) -> Vec<Envelope> {
        let mut events = self.folder.events().expect("readable");
        let mut all = Vec::new();
        while let Some(told) = events.next_told().expect("readable") {
            match told {
                Told::Event(envelope) => all.push(*envelope),
                Told::Textless(line) => panic!("{line:?}"),
                Told::Damage(damage) => panic!("{damage:?}"),
            }
        }
        all
    }

    /// Returns the bytes of the journal and of all log files.
    fn size(&self) -> u64 {
        let logs = std::fs::read_dir(self.folder.path().join("logs")).expect("there");
        let size = |entry: std::io::Result<std::fs::DirEntry>| {
            entry
                .and_then(|entry| entry.metadata())
                .expect("there")
                .len()
        };
        self.journal.length() + logs.map(size).sum::<u64>()
    }
}

fn owner(instance: &str) -> LogOwner {
    LogOwner {
        step: "a".into(),
        instance: instance.into(),
        attempt: 1,
        incarnation: 1,
    }
}

fn said(source: LogSource, text: &str) -> LogLine {
    LogLine {
        source,
        level: LogLevel::Info,
        message: text.into(),
        end: sidestep_events::LineEnd::Feed,
        fields: BTreeMap::new(),
        offset: None,
    }
}

/// Returns a line of a followed pod, whose log has been read up to `position`.
fn pods(text: &str, position: u64) -> LogLine {
    let mut line = said(LogSource::Pod, text);
    line.fields = BTreeMap::from([
        (log_field::POD.into(), json!("n/p").into()),
        (log_field::CONTAINER.into(), json!("main").into()),
        (log_field::POSITION.into(), json!(position).into()),
    ]);
    line
}

fn any_line() -> impl Strategy<Value = (LogOwner, LogLine)> {
    let level = prop_oneof![Just(LogLevel::Info), Just(LogLevel::Error)];
    let source = prop_oneof![Just(LogSource::Plugin), Just(LogSource::Pod)];
    let fields = prop::collection::btree_map("[a-c]", ".{0,3}", 0..3);
    let text = prop_oneof![
        "(?s).{0,40}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    let end = prop_oneof![
        Just(LineEnd::Feed),
        Just(LineEnd::Open),
        Just(LineEnd::Missing)
    ];
    (
        prop_oneof![Just("a"), Just("b[x=1]")],
        source,
        level,
        fields,
        text,
        end,
    )
        .prop_map(|(instance, source, level, fields, text, end)| {
            let mut line = said(source, "");
            line.message = text.into();
            line.end = end;
            line.level = level;
            line.fields = fields
                .into_iter()
                .map(|(name, value)| (name.into(), json!(value).into()))
                .collect();
            (owner(instance), line)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lines_are_read_as_they_were_said(
        groups in prop::collection::vec(prop::collection::vec(any_line(), 1..20), 0..6),
    ) {
        let mut run = Run::new();
        let mut shown = Vec::new();
        for group in &groups {
            let events = run.write(group);
            for (event, (owner, line)) in events.iter().zip(group) {
                let Event::Log(seen) = &event.event else { panic!("a line") };
                let as_said = LogLine { offset: seen.offset, ..line.clone() };
                prop_assert_eq!(seen, &as_said);
                prop_assert!(event.instance.as_ref().is_some_and(|i| i.exact() == owner.instance));
            }
            shown.extend(events);
        }
        let read = run.read();
        prop_assert_eq!(&read, &shown);
        // The log file contains exactly the bytes of the lines.
        for instance in ["a", "b[x=1]"] {
            let lines = groups.iter().flatten().filter(|(owner, _)| owner.instance == instance);
            let bytes: Vec<u8> = lines
                .flat_map(|(_, line)| [line.message.bytes(), line.end.bytes()].concat())
                .collect();
            let stored = std::fs::read(run.folder.log_path(instance, 1)).unwrap_or_default();
            prop_assert_eq!(stored, bytes);
        }
        for (seq, envelope) in (1..).zip(&read) {
            prop_assert_eq!(envelope.seq, seq);
        }
        let history = run.folder.account().expect("readable").history;
        prop_assert_eq!(history.last_seq, shown.len() as u64);
    }
}

#[test]
fn a_group_that_was_not_written_to_its_end_is_cut_with_its_lines() {
    let mut run = Run::new();
    let first = [(owner("a"), pods("one", 1)), (owner("a"), pods("two", 2))];
    let second = [(owner("a"), pods("three", 3))];
    run.write(&first);
    let whole = run.journal.length();
    run.write(&second);
    let length = run.journal.length();
    let journal = run.folder.path().join("journal");
    let bytes = std::fs::read(&journal).expect("readable");
    for cut in whole..length {
        let kept = usize::try_from(cut).expect("short");
        std::fs::write(&journal, &bytes[..kept]).expect("written");
        let account = run.folder.account().expect("readable");
        assert!(account.damage.is_empty());
        let attempt = &account.history.instances["a"].attempts[0];
        assert_eq!(account.history.last_seq, 2, "cut at {cut}");
        // Later content of the log file is cut off, and read again from the pod.
        assert_eq!(attempt.positions["n/p"]["main"], json!(2));
        assert_eq!(attempt.log_end, Some("one\ntwo\n".len() as u64));
        let texts = run.read().into_iter().map(|envelope| envelope.event);
        let texts: Vec<_> = texts
            .filter_map(|event| match event {
                Event::Log(line) => Some(line.message.text().into_exact()),
                _ => None,
            })
            .collect();
        assert_eq!(texts, ["one", "two"]);
    }
}

#[test]
fn a_damaged_group_is_damage_and_the_lines_around_it_are_read() {
    let mut run = Run::new();
    run.write(&[(owner("a"), pods("one", 1))]);
    let from = usize::try_from(run.journal.length()).expect("short");
    run.write(&[(owner("a"), pods("two", 2)), (owner("a"), pods("three", 3))]);
    run.write(&[(owner("a"), pods("four", 4))]);
    let journal = run.folder.path().join("journal");
    let mut bytes = std::fs::read(&journal).expect("readable");
    bytes[from + 40] ^= 1;
    std::fs::write(&journal, &bytes).expect("written");
    let mut events = run.folder.events().expect("readable");
    let mut told = Vec::new();
    while let Some(next) = events.next_told().expect("readable") {
        told.push(match next {
            Told::Event(envelope) => match envelope.event {
                Event::Log(line) => (envelope.seq, line.message.text().into_exact()),
                _ => panic!("a line"),
            },
            Told::Textless(line) => panic!("{line:?}"),
            Told::Damage(_) => (0, "damage".to_owned()),
        });
    }
    let expected = [(1, "one"), (0, "damage"), (4, "four")];
    assert_eq!(told, expected.map(|(seq, text)| (seq, text.to_owned())));
}

#[test]
fn a_line_whose_bytes_are_lost_is_not_a_shorter_line() {
    let mut run = Run::new();
    run.write(&[(owner("a"), pods("one", 1)), (owner("a"), pods("two", 2))]);
    let path = run.folder.log_path("a", 1);
    std::fs::write(&path, b"one\nt").expect("written");
    let mut events = run.folder.events().expect("readable");
    let whole = events.next_told().expect("readable");
    assert!(matches!(whole, Some(Told::Event(_))), "{whole:?}");
    let Some(Told::Textless(lost)) = events.next_told().expect("readable") else {
        panic!("the text is not there");
    };
    let Event::Log(line) = lost.event else {
        panic!("a line");
    };
    let said = line.message.text().into_exact();
    assert!(said.starts_with("(2 bytes are missing in "), "{said}");
}

#[test]
fn a_plugins_fields_are_no_position() {
    let mut run = Run::new();
    let mut forged = pods("as if read", 1_000_000);
    forged.source = LogSource::Plugin;
    run.write(&[(owner("a"), pods("read", 1)), (owner("a"), forged.clone())]);
    let history = History::of(&run.folder.read().expect("readable").records);
    assert_eq!(
        history.instances["a"].attempts[0].positions["n/p"]["main"],
        json!(1)
    );
    let Event::Log(read) = &run.read()[1].event else {
        panic!("a line");
    };
    assert_eq!(read.fields, forged.fields);
}

#[test]
fn lines_take_at_most_half_as_much_again_as_their_text() {
    // The maximum that the engine buffers.
    for (lines, bytes, group) in [(100_000_usize, 64, 1024), (2_000, 4 << 10, 64)] {
        for of in [LogSource::Plugin, LogSource::Pod] {
            let mut run = Run::new();
            let text = "x".repeat(bytes);
            for from in (0..lines).step_by(group) {
                let count = group.min(lines - from);
                let one = |n: usize| match of {
                    LogSource::Pod => (owner("a"), pods(&text, n as u64)),
                    _ => (owner("a"), said(of, &text)),
                };
                run.write(&(from..from + count).map(one).collect::<Vec<_>>());
            }
            let (size, text) = (run.size(), (lines * bytes) as u64);
            assert!(
                size * 2 < text * 3,
                "{lines} lines of {bytes} bytes: {size} of {text}"
            );
        }
    }
}

#[test]
fn events_beside_groups_keep_their_order() {
    let mut run = Run::new();
    run.write(&[(owner("a"), said(LogSource::Plugin, "one"))]);
    run.journal
        .append(&event(2, line("two", None)))
        .expect("appended");
    run.seq = 3;
    run.write(&[(owner("a"), said(LogSource::Plugin, "three"))]);
    let texts: Vec<_> = run
        .read()
        .into_iter()
        .map(|envelope| match envelope.event {
            Event::Log(line) => line.message.text().into_exact(),
            _ => panic!("a line"),
        })
        .collect();
    assert_eq!(texts, ["one", "two", "three"]);
    drop(run.journal);
    let (journal, _) = JournalWriter::open(&run.folder.path().join("journal")).expect("whole");
    assert_eq!(journal.next_seq(), 4);
}
