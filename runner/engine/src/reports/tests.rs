use std::sync::mpsc::channel;

use sidestep_events::{
    FORMAT_VERSION, Header, JOURNAL_VERSION, LogLevel, LogLine, LogSource, Record, SpanId, TraceId,
};
use sidestep_state::{JournalWriter, Runs};
use tempfile::TempDir;

use super::*;

struct Run {
    _place: TempDir,
    folder: RunFolder,
    journal: JournalWriter,
}

impl Run {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let header = Header {
            format: JOURNAL_VERSION,
            writer: "test".into(),
            run: "r".into(),
            plan_digest: "sha256:00".into(),
            sandbox: None,
            caller: None,
            workspace: None,
        };
        let id = "r".parse().expect("an id");
        let (folder, _, journal) = Runs::at(place.path())
            .create(&id, &header)
            .expect("created");
        Self {
            _place: place,
            folder,
            journal,
        }
    }

    /// Journals an event, as the recorder does, and sends it.
    fn say(&mut self, outlet: &Outlet, seq: u64) {
        let from = self.journal.length();
        let envelope = line(seq);
        let record = Record::Event(Box::new(envelope.clone()));
        self.journal.append(&record).expect("appended");
        outlet.send(envelope, Some(from..self.journal.length()));
    }
}

fn line(seq: u64) -> Envelope {
    Envelope {
        v: FORMAT_VERSION,
        run: "r".into(),
        seq,
        time: "2026-01-02T03:04:05Z".parse().expect("a time"),
        step: Some("a".into()),
        instance: Some("a".into()),
        attempt: Some(1),
        incarnation: Some(1),
        trace: TraceId::of_run("r", None),
        span: SpanId::of_attempt("r", "a", 1),
        parent: None,
        event: Event::Log(LogLine {
            source: LogSource::Plugin,
            level: LogLevel::Info,
            message: format!("{seq:>4000}").into(),
            end: sidestep_events::LineEnd::Feed,
            fields: std::collections::BTreeMap::new(),
            offset: None,
        }),
    }
}

#[test]
fn who_does_not_read_costs_no_more_than_so_much_and_misses_nothing() {
    const LINES: u64 = 10_000;
    let mut run = Run::new();
    let (outlet, reports) = reports(run.folder.clone());
    for seq in 1..=LINES {
        run.say(&outlet, seq);
        assert!(outlet.weight() <= MOST, "{} held", outlet.weight());
    }
    assert!(run.journal.length() > 4 * MOST as u64, "much more was said");
    drop(outlet);
    let mut expected = 0;
    for envelope in reports {
        expected += 1;
        assert_eq!(envelope, line(expected));
    }
    assert_eq!(expected, LINES);
}

#[test]
fn a_reader_that_falls_behind_and_catches_up_reads_each_event_once() {
    let mut run = Run::new();
    let (outlet, mut reports) = reports(run.folder.clone());
    let (mut said, mut read) = (0, 0);
    // The reader is slower and faster than the writer by turns.
    for (says, reads) in [(4000, 10), (10, 2500), (5000, 6000), (1, 1), (3000, 0)] {
        for _ in 0..says {
            said += 1;
            run.say(&outlet, said);
        }
        for _ in 0..reads {
            read += 1;
            assert_eq!(reports.next().map(|envelope| envelope.seq), Some(read));
        }
    }
    drop(outlet);
    for envelope in &mut reports {
        read += 1;
        assert_eq!(envelope.seq, read);
    }
    assert_eq!(read, said);
    assert!(reports.into_trouble().is_none());
}

#[test]
fn what_the_journal_could_not_take_comes_after_what_it_has() {
    let mut run = Run::new();
    let (outlet, reports) = reports(run.folder.clone());
    let mut said = 0;
    while outlet.0.lock().behind.is_none() {
        said += 1;
        run.say(&outlet, said);
    }
    for _ in 0..10 {
        said += 1;
        outlet.send(line(said), None);
    }
    drop(outlet);
    let seqs: Vec<_> = reports.map(|envelope| envelope.seq).collect();
    assert_eq!(seqs, (1..=said).collect::<Vec<_>>());
}

#[test]
fn a_reader_that_waits_is_woken() {
    let mut run = Run::new();
    let (outlet, reports) = reports(run.folder.clone());
    let (seen, wait) = channel();
    let reader = std::thread::spawn(move || {
        for envelope in reports {
            seen.send(envelope.seq).expect("somebody listens");
        }
    });
    for seq in 1..=3 {
        run.say(&outlet, seq);
        assert_eq!(wait.recv(), Ok(seq));
    }
    drop(outlet);
    reader.join().expect("it ends with the run");
}

#[test]
fn nothing_is_held_for_a_reader_that_is_gone() {
    let mut run = Run::new();
    let (outlet, reports) = reports(run.folder.clone());
    run.say(&outlet, 1);
    drop(reports);
    run.say(&outlet, 2);
    assert_eq!(outlet.weight(), 0);
}

#[test]
fn a_journal_that_is_gone_is_trouble_and_no_end() {
    let mut run = Run::new();
    let (outlet, mut reports) = reports(run.folder.clone());
    let mut said = 0;
    while outlet.0.lock().behind.is_none() {
        said += 1;
        run.say(&outlet, said);
    }
    outlet.send(line(said + 1), None);
    drop(outlet);
    std::fs::remove_dir_all(run.folder.path()).expect("removed");
    let seqs: Vec<_> = reports.by_ref().map(|envelope| envelope.seq).collect();
    assert_eq!(seqs.last(), Some(&(said + 1)));
    assert_eq!(
        seqs.len() as u64,
        said,
        "only what had to be read back is missing"
    );
    assert!(reports.into_trouble().is_some());
}

#[test]
fn a_group_that_is_held_in_part_is_read_back_from_where_that_ends() {
    let mut run = Run::new();
    let (outlet, mut reports) = reports(run.folder.clone());
    let (mut seq, mut read) = (1, 0);
    // Some groups fit, one does in part, the others not at all.
    for _ in 0..8 {
        let trace = TraceId::of_run("r", None);
        let mut group = sidestep_state::LineGroup::new("r", trace, seq);
        let owner = sidestep_events::LogOwner {
            step: "a".into(),
            instance: "a".into(),
            attempt: 1,
            incarnation: 1,
        };
        for n in seq..seq + 500 {
            let Event::Log(said) = line(n).event else {
                panic!("a line");
            };
            group.push(&owner, said);
        }
        seq += 500;
        let from = run.journal.length();
        // Every line has 4000 bytes and its end.
        let end = (seq - 501) * 4001;
        let log = run.folder.attempt_log("a", 1, Some(end));
        let mut log = log.expect("opened");
        let closed = group.close(|_, text| log.append(text));
        let (lines, events) = closed.expect("written");
        let record = Record::Lines(Box::new(lines));
        run.journal.append(&record).expect("appended");
        outlet.send_all(events, Some(from..run.journal.length()));
        assert!(outlet.weight() <= MOST);
    }
    drop(outlet);
    for envelope in &mut reports {
        read += 1;
        assert_eq!(envelope.seq, read);
        let Event::Log(said) = envelope.event else {
            panic!("a line");
        };
        assert_eq!(said.message.text().exact(), format!("{read:>4000}"));
    }
    assert_eq!(read, seq - 1);
    assert!(reports.into_trouble().is_none());
}
