//! Fuzz targets for the readers of untrusted bytes.

use std::fs;
use std::path::Path;

use sidestep_events::{Header, JOURNAL_VERSION};

use crate::{Entry, History, JournalReader, JournalWriter, frame, read_account, read_journal};

/// A target: its name, the reader, and seed inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The targets of this crate.
pub const TARGETS: [Target; 2] = [
    ("state-journal", journal, journal_seeds),
    ("state-records", journal_records, record_seeds),
];

/// Reads a journal's bytes with each of the readers.
pub fn journal(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    fs::write(&path, bytes).expect("written");
    read(&path, bytes);
}

/// Like [`journal`], but each line is the content of a record with a correct length and checksum.
pub fn journal_records(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let header = serde_json::to_vec(&header()).expect("JSON");
    let mut whole = frame::encode(&header).expect("short");
    for line in bytes.split(|byte| *byte == b'\n') {
        whole.extend(frame::encode(line).expect("short"));
    }
    fs::write(&path, &whole).expect("written");
    read(&path, &whole);
}

fn read(path: &Path, bytes: &[u8]) {
    if let Ok(journal) = read_journal(path) {
        let _ = History::of(&journal.records);
    }
    let _ = read_account(path);
    let Ok((_, mut reader)) = JournalReader::open(path) else {
        return;
    };
    let mut last = 0;
    while let Ok(Some(entry)) = reader.next_entry() {
        if let Entry::Damage(damage) = entry {
            assert!(damage.from < damage.to && damage.to <= bytes.len() as u64);
        }
        assert!(reader.position() > last, "each entry takes bytes");
        last = reader.position();
    }
    assert!(last <= bytes.len() as u64);
    // Opening a journal for writing may only truncate it.
    if JournalWriter::open(path).is_ok() {
        assert!(bytes.starts_with(&fs::read(path).expect("readable")));
    }
}

fn header() -> Header {
    Header {
        format: JOURNAL_VERSION,
        writer: "sidestep 0.0.0".into(),
        run: "r".into(),
        plan_digest: "sha256:00".into(),
        sandbox: None,
        caller: None,
        workspace: None,
    }
}

fn journal_seeds() -> Vec<Vec<u8>> {
    let mut whole = Vec::new();
    let header = serde_json::to_vec(&header()).expect("JSON");
    whole.extend(frame::encode(&header).expect("short"));
    for record in record_seeds() {
        for line in record.split(|byte| *byte == b'\n') {
            whole.extend(frame::encode(line).expect("short"));
        }
    }
    let torn = whole[..whole.len() - 3].to_vec();
    vec![whole, torn]
}

fn record_seeds() -> Vec<Vec<u8>> {
    vec![
        [
            r#"{"record":"event","data":{"v":1,"run":"r","seq":1,"time":"2026-01-02T03:04:05Z","trace":"00000000000000000000000000000001","span":"0000000000000001","type":"run-started","data":{"pipeline":"p","version":"0","planDigest":"sha256:00","resumed":false,"steps":[]}}}"#,
            r#"{"record":"intent","data":{"id":1,"instance":"a","attempt":1,"kind":"pod","where":{"in":"cluster","cluster":"c","namespace":"n"},"name":"p","onExit":"delete"}}"#,
            r#"{"record":"done","data":{"intent":1,"id":"u","removed":true}}"#,
            r#"{"record":"checkpoint","data":{"instance":"a","attempt":1,"state":{"x":[1]}}}"#,
            r#"{"record":"output","data":{"instance":"a","attempt":1,"outputs":{"y":"z"}}}"#,
        ]
        .join("\n")
        .into_bytes(),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_inputs_are_records() {
        for record in super::record_seeds().concat().split(|byte| *byte == b'\n') {
            serde_json::from_slice::<sidestep_events::Record>(record).expect("a record");
        }
    }

    #[test]
    fn strangers_bytes_are_read_without_harm() {
        super::TARGETS
            .into_iter()
            .for_each(sidestep_mutations::check);
    }
}
