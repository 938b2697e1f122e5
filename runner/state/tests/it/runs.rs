use sidestep_events::{Event, Record, RunFinished, RunStarted, Status};
use sidestep_state::{History, LogReader, RunId, Runs, StateError};

use crate::journal::{event, header};

fn id(text: &str) -> RunId {
    text.parse().expect("an id")
}

fn started(resumed: bool) -> Event {
    Event::RunStarted(RunStarted {
        pipeline: "image".into(),
        file: None,
        version: "0".into(),
        plan_digest: "sha256:00".into(),
        sandbox: None,
        resumed,
        steps: Vec::new(),
    })
}

fn finished() -> Event {
    Event::RunFinished(RunFinished {
        status: Status::Succeeded,
        exit: 0,
        outputs: None,
        duration_ms: 5,
    })
}

#[test]
fn two_writers_of_one_run_cannot_both_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = Runs::at(folder.path());
    let (run, lock, _journal) = runs.create(&id("r1"), &header("r1")).expect("created");
    let error = run.lock().expect_err("held");
    assert!(
        matches!(&error, StateError::Locked { pid: Some(pid), .. } if *pid == std::process::id()),
        "{error}"
    );
    assert_eq!(
        run.summary().expect("readable").writer,
        Some(std::process::id())
    );
    drop(lock);
    assert_eq!(run.summary().expect("readable").writer, None);
    let lock = run.lock().expect("free again");
    run.resume(&lock).expect("goes on");
}

#[test]
fn a_run_is_made_once_and_listed_latest_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = Runs::at(folder.path().join("not/there/yet"));
    assert!(runs.list().expect("empty").0.is_empty());
    assert!(matches!(
        runs.open(&id("r1")),
        Err(StateError::NotFound { .. })
    ));
    for name in ["r1", "r2"] {
        let (_, _, mut journal) = runs.create(&id(name), &header(name)).expect("created");
        journal.append(&event(1, started(false))).expect("appended");
        if name == "r1" {
            journal.append(&event(2, finished())).expect("appended");
        }
    }
    assert!(matches!(
        runs.create(&id("r1"), &header("r1")),
        Err(StateError::Exists(_))
    ));
    std::fs::create_dir_all(runs.root().join("damaged")).expect("made");
    std::fs::write(runs.root().join("damaged/journal"), b"zzz").expect("written");
    let (list, unreadable) = runs.list().expect("listed");
    let names: Vec<_> = list.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(names, ["r2", "r1"]);
    assert!(list[0].finished.is_none() && list[1].finished.is_some());
    assert!(matches!(unreadable[..], [StateError::NotAJournal(_)]));
}

#[test]
fn a_line_that_the_journal_does_not_know_is_cut_on_resume() {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = Runs::at(folder.path());
    let (run, _lock, _) = runs.create(&id("r"), &header("r")).expect("created");
    let mut log = run.attempt_log("a", 1, None).expect("opened");
    let first = log.append(b"first\n").expect("appended");
    log.append(b"never journaled\n").expect("appended");
    drop(log);

    let mut log = run.attempt_log("a", 1, Some(6)).expect("opened");
    let second = log.append(b"two\nlines\n").expect("appended");
    assert_eq!((first, second), (0, 6));
    let mut reader = LogReader::default();
    let path = run.log_path("a", 1);
    assert_eq!(
        reader.bytes_at(&path, second, 9).expect("there"),
        b"two\nlines"
    );
    assert_eq!(reader.bytes_at(&path, first, 5).expect("there"), b"first");
    // A truncated file is an error, not a shorter text.
    let short = reader.bytes_at(&path, 10, 100);
    assert!(
        matches!(&short, Err(StateError::Short { missing: 94, .. })),
        "{short:?}"
    );
    let whole = std::fs::read_to_string(path).expect("readable");
    assert_eq!(whole, "first\ntwo\nlines\n");
}

#[test]
fn a_resumed_run_is_unfinished_again() {
    let records = [
        event(1, started(false)),
        event(2, finished()),
        event(3, started(true)),
    ];
    let history = History::of(&records);
    assert!(history.finished.is_none());
    assert_eq!(history.last_seq, 3);
    assert_eq!(
        History::of(&records[..2]).finished.map(|end| end.status),
        Some(Status::Succeeded)
    );
    assert!(matches!(records[0], Record::Event(_)));
}
