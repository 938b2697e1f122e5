//! Damaged records: a run is never resumed from the rest, and the damage is never hidden.

use proptest::prelude::*;
use sidestep_events::{Class, Event, Failure, Foreign, Header, Record, RunStarted};
use sidestep_state::{
    Damage, Entry, JournalReader, JournalWriter, RunId, Runs, StateError, Told, read_account,
    read_journal,
};

use crate::journal::{event, header, line, numbered, record};

/// Writes the records. Returns the journal's bytes and the start of each frame, the header's first.
fn written(path: &std::path::Path, records: &[Record]) -> (Vec<u8>, Vec<usize>) {
    let mut writer = JournalWriter::create(path, &header("r")).expect("created");
    let mut begins = vec![0];
    for record in records {
        begins.push(usize::try_from(writer.length()).expect("short"));
        writer.append(record).expect("appended");
    }
    (std::fs::read(path).expect("readable"), begins)
}

fn intents(records: &[Record]) -> usize {
    let intent = |record: &&Record| matches!(record, Record::Intent(_));
    records.iter().filter(intent).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever one byte changes to, the error names the file, and all records but the damaged one
    /// are still reported.
    #[test]
    fn a_flipped_byte_never_loses_an_intent_silently(
        records in prop::collection::vec(record(), 1..10),
        place in any::<prop::sample::Index>(),
        flip in 1u8..=255,
    ) {
        let records = numbered(records);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let (mut bytes, begins) = written(&path, &records);
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        std::fs::write(&path, &bytes).expect("written");

        let hit = begins.iter().rposition(|begin| *begin <= place).expect("the header at least");
        if hit == 0 {
            let refused = JournalWriter::open(&path).expect_err("damaged");
            prop_assert!(matches!(refused, StateError::NotAJournal(_)), "{refused}");
            return Ok(());
        }
        let refused = JournalWriter::open(&path).expect_err("damaged");
        let StateError::Damaged(damaged) = &refused else {
            return Err(TestCaseError::fail(format!("{refused}")));
        };
        let expected = Damage {
            record: hit as u64 + 1,
            from: begins[hit] as u64,
            to: begins.get(hit + 1).map_or(bytes.len(), |next| *next) as u64,
        };
        prop_assert_eq!(&damaged.damage, &[expected]);
        prop_assert_eq!(damaged.whole, records.len() as u64);
        let mut left = records.clone();
        left.remove(hit - 1);
        let read = read_journal(&path).expect("readable");
        prop_assert_eq!(&read.records, &left);
        prop_assert!(intents(&read.records) + 1 >= intents(&records));

        // Removed objects of the run are recorded after all of it, and the damage is still
        // reported.
        let (mut writer, _) = JournalWriter::open_to_clean_up(&path).expect("opened");
        let next = event(writer.next_seq(), line("removed", None));
        writer.append(&next).expect("appended");
        let read = read_journal(&path).expect("readable");
        prop_assert_eq!(read.damage, &[expected]);
        prop_assert_eq!(read.records.last(), Some(&next));
    }

    /// The same for several bytes anywhere after the header: the file never counts as a torn tail
    /// unless only the end of the last record is lost.
    #[test]
    fn overwritten_bytes_are_damage(
        records in prop::collection::vec(record(), 2..10),
        place in any::<prop::sample::Index>(),
        over in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let records = numbered(records);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let (mut bytes, begins) = written(&path, &records);
        let last = *begins.last().expect("two at least");
        let place = begins[1] + place.index(last - begins[1]);
        let end = last.min(place + over.len());
        let before = bytes.clone();
        bytes[place..end].copy_from_slice(&over[..end - place]);
        std::fs::write(&path, &bytes).expect("written");
        let opened = JournalWriter::open(&path);
        if bytes == before {
            prop_assert!(opened.is_ok());
        } else {
            prop_assert!(matches!(opened, Err(StateError::Damaged(_))), "{opened:?}");
            let read = read_journal(&path).expect("readable");
            prop_assert_eq!(read.records.last(), records.last());
        }
    }
}

fn started() -> Event {
    Event::RunStarted(RunStarted {
        pipeline: "image".into(),
        file: Some("image.yaml".into()),
        version: "0.0.0".into(),
        plan_digest: "sha256:00".into(),
        sandbox: Some("healthy".into()),
        resumed: false,
        steps: Vec::new(),
    })
}

#[test]
fn the_error_says_where_what_is_whole_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = Runs::at(folder.path());
    let id: RunId = "r".parse().expect("an id");
    let header = Header {
        sandbox: Some("healthy".into()),
        ..header("r")
    };
    let (run, lock, mut journal) = runs.create(&id, &header).expect("created");
    journal.append(&event(1, started())).expect("appended");
    let from = journal.length();
    for seq in 2..5 {
        let said = event(seq, line("text", None));
        journal.append(&said).expect("appended");
    }
    let path = run.path().join("journal");
    let mut bytes = std::fs::read(&path).expect("readable");
    bytes[usize::try_from(from).expect("short") + 20] ^= 1;
    std::fs::write(&path, &bytes).expect("written");

    let refused = run.resume(&lock).expect_err("damaged");
    let failure = Failure::from(refused);
    assert_eq!(
        (failure.class, failure.code.exact()),
        (Class::Failed, "state.damaged")
    );
    let place = format!("record 3 can't be read (bytes {from} to ");
    assert!(failure.message.contains(&place), "{failure}");
    assert!(
        failure
            .message
            .ends_with("the 2 before it and 2 after it are intact"),
        "{failure}"
    );
    for command in [
        "sidestep runs show r",
        "sidestep gc --sandbox=healthy",
        "sidestep run image.yaml --sandbox",
    ] {
        assert!(failure.help.iter().any(|help| help == command), "{command}");
    }
    let summary = run.summary().expect("readable");
    assert_eq!(summary.pipeline.as_ref().map(Foreign::exact), Some("image"));
    assert!(summary.damaged.is_some() && summary.finished.is_none());

    let mut events = run.events().expect("readable");
    let mut told = Vec::new();
    while let Some(next) = events.next_told().expect("readable") {
        told.push(match next {
            Told::Event(envelope) | Told::Textless(envelope) => envelope.seq,
            Told::Damage(_) => 0,
        });
    }
    assert_eq!(told, [1, 0, 3, 4]);

    // Its id is free again, and none of its data is lost.
    let aside = run.set_aside(&lock).expect("renamed");
    assert!(aside.join("journal").is_file());
    assert!(matches!(runs.open(&id), Err(StateError::NotFound { .. })));
    let (again, lock, _) = runs.create(&id, &header).expect("created");
    let second = again.set_aside(&lock).expect("renamed");
    assert_ne!(aside, second);
    assert!(runs.list().expect("listed").0.is_empty());
}

#[test]
fn a_damaged_header_is_read_from_the_run_s_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let (mut bytes, _) = written(&path, &[event(1, started())]);
    bytes[12] ^= 1;
    std::fs::write(&path, &bytes).expect("written");
    let account = read_account(&path).expect("readable");
    assert_eq!(account.header.sandbox.as_deref(), Some("healthy"));
    assert_eq!(account.header.run, "r");
    assert_eq!(account.damage.len(), 1);
    assert_eq!(account.damage[0].record, 1);
    assert!(matches!(
        JournalWriter::open(&path),
        Err(StateError::Damaged(_))
    ));
}

#[test]
fn a_reader_that_met_the_end_reads_on_when_more_is_written() {
    use std::io::Write as _;

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let mut writer = JournalWriter::create(&path, &header("r")).expect("created");
    let (_, mut reader) = JournalReader::open(&path).expect("readable");
    for seq in 1..4 {
        assert_eq!(reader.next_entry().expect("readable"), None);
        writer
            .append(&event(seq, line("text", None)))
            .expect("appended");
        assert!(reader.next_entry().expect("readable").is_some());
    }
    // Killed during a write, and resumed.
    drop(writer);
    let file = std::fs::File::options().append(true).open(&path);
    file.and_then(|mut file| file.write_all(&[200, 0, 0, 0, 1, 2, 3, 4, 5]))
        .expect("written");
    assert_eq!(reader.next_entry().expect("readable"), None);
    let (mut writer, account) = JournalWriter::open(&path).expect("opened");
    assert!(account.torn);
    let next = event(4, line("text", None));
    writer.append(&next).expect("appended");
    assert_eq!(
        reader.next_entry().expect("readable"),
        Some(Entry::Record(next))
    );
}
