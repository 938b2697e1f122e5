use proptest::prelude::*;
use serde_json::json;
use sidestep_events::{
    Checkpoint, Done, Envelope, Event, FORMAT_VERSION, Header, Intent, IntentId, JOURNAL_VERSION,
    Location, LogLevel, LogLine, LogSource, OnExit, Output, Record, SpanId, TraceId,
};
use sidestep_state::{History, JournalWriter, StateError, read_journal};

pub(crate) fn header(run: &str) -> Header {
    Header {
        format: JOURNAL_VERSION,
        writer: "sidestep 0.0.0".into(),
        run: run.into(),
        plan_digest: "sha256:00".into(),
        sandbox: None,
        caller: None,
        workspace: None,
    }
}

pub(crate) fn event(seq: u64, event: Event) -> Record {
    Record::Event(Box::new(Envelope {
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
        event,
    }))
}

pub(crate) fn line(text: &str, offset: Option<u64>) -> Event {
    Event::Log(LogLine {
        source: LogSource::Pod,
        level: LogLevel::Info,
        message: text.into(),
        end: sidestep_events::LineEnd::Feed,
        fields: std::collections::BTreeMap::new(),
        offset,
    })
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        ".*".prop_map(|text| event(0, line(&text, None))),
        (any::<u64>(), ".{0,20}").prop_map(|(id, name)| Record::Intent(Intent {
            id: IntentId(id),
            instance: "a".into(),
            attempt: 1,
            kind: "pod".into(),
            location: Location::Bucket { bucket: "b".into() },
            name: name.into(),
            on_exit: OnExit::Delete,
            expiry: None,
        })),
        any::<u64>().prop_map(|id| Record::Done(Done {
            intent: IntentId(id),
            id: Some("uid".into()),
            removed: false,
        })),
        ".*".prop_map(|text| Record::Checkpoint(Checkpoint {
            instance: "a".into(),
            attempt: 1,
            state: json!(text),
        })),
        ".*".prop_map(|text| Record::Output(Output {
            instance: "a".into(),
            attempt: 1,
            outputs: json!({ "x": text }),
        })),
    ]
}

/// Numbers the events among the records, as the engine does.
pub(crate) fn numbered(records: Vec<Record>) -> Vec<Record> {
    let mut seq = 0;
    records
        .into_iter()
        .map(|record| match record {
            Record::Event(mut envelope) => {
                seq += 1;
                envelope.seq = seq;
                Record::Event(envelope)
            }
            other => other,
        })
        .collect()
}

fn events(records: &[Record]) -> u64 {
    records
        .iter()
        .filter(|record| matches!(record, Record::Event(_)))
        .count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_truncation_yields_a_prefix_and_reopening_counts_on(
        records in prop::collection::vec(record(), 0..12),
        cut in any::<prop::sample::Index>(),
        zeros in prop_oneof![Just(0usize), 8usize..5000],
    ) {
        let records = numbered(records);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let mut writer = JournalWriter::create(&path, &header("r")).expect("created");
        let first = std::fs::metadata(&path).expect("there").len();
        for record in &records {
            writer.append(record).expect("appended");
        }
        drop(writer);
        let whole = std::fs::read(&path).expect("readable");
        let cut = cut.index(whole.len() + 1);
        let mut torn = whole[..cut].to_vec();
        // After a power failure, a file may be longer than its written content.
        torn.resize(cut + zeros, 0);
        std::fs::write(&path, &torn).expect("written");

        if (cut as u64) < first {
            // The header appears whole or not at all, so this file belongs to another program.
            prop_assert!(matches!(read_journal(&path), Err(StateError::NotAJournal(_))));
            return Ok(());
        }
        let (mut writer, account) = JournalWriter::open(&path).expect("opened");
        let journal = read_journal(&path).expect("readable");
        prop_assert!(records.starts_with(&journal.records));
        prop_assert!(journal.damage.is_empty());
        prop_assert_eq!(writer.next_seq(), events(&journal.records) + 1);
        prop_assert_eq!(account.history, History::of(&journal.records));
        if cut == whole.len() {
            prop_assert_eq!(journal.records.len(), records.len());
        }
        let next = event(writer.next_seq(), line("after", None));
        writer.append(&next).expect("appended");
        let read = read_journal(&path).expect("readable");
        prop_assert!(!read.torn);
        prop_assert_eq!(read.records.len(), journal.records.len() + 1);
        prop_assert_eq!(read.records.last(), Some(&next));
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let newer = Header {
        format: JOURNAL_VERSION + 1,
        writer: "sidestep 9.9.9".into(),
        ..header("r")
    };
    JournalWriter::create(&path, &newer).expect("created");
    let error = JournalWriter::open(&path).expect_err("newer");
    assert!(matches!(error, StateError::NewerFormat { .. }));
    let text = error.to_string();
    assert!(
        text.contains("sidestep 9.9.9") && text.contains("format 4"),
        "{text}"
    );
}
