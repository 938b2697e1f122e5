//! Files that another user can write are not read back, and no file is created that others can
//! write.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use sidestep_events::{Class, Event, Failure, LogOwner, Record, TraceId};
use sidestep_state::{LineGroup, RunFolder, Runs, StateError};

use crate::journal::{header, line};

/// Returns a run with one log line and a free lock.
fn run(root: &Path) -> RunFolder {
    let runs = Runs::at(root.join("runs"));
    let id = "r1".parse().expect("an id");
    let (run, _lock, mut journal) = runs.create(&id, &header("r1")).expect("created");
    run.write_document("plan.json", b"{}").expect("written");
    let mut log = run.attempt_log("a", 1, None).expect("opened");
    let owner = LogOwner {
        step: "a".into(),
        instance: "a".into(),
        attempt: 1,
        incarnation: 1,
    };
    let Event::Log(said) = line("a line", None) else {
        panic!("a line");
    };
    let mut group = LineGroup::new("r1", TraceId::of_run("r1", None), 1);
    group.push(&owner, said);
    let closed = group.close(|_, text| log.append(text));
    let (lines, _) = closed.expect("written");
    journal
        .append(&Record::Lines(Box::new(lines)))
        .expect("written");
    run
}

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("set");
}

fn not_own<T: std::fmt::Debug>(result: Result<T, StateError>) -> Failure {
    match result {
        Err(error @ StateError::NotOwn(_)) => error.into(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_record_that_others_can_write_is_refused_where_it_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = run(folder.path());
    let told = |run: &RunFolder| {
        let mut events = run.events()?;
        while events.next_told()?.is_some() {}
        Ok(())
    };
    told(&run).expect("own");
    let log = run.log_path("a", 1);
    type Opens<'a> = &'a dyn Fn() -> Result<(), StateError>;
    let rows: [(&Path, Opens<'_>); 6] = [
        (&run.path().join("journal"), &|| run.read().map(drop)),
        (&run.path().join("journal"), &|| {
            run.resume(&run.lock()?).map(drop)
        }),
        (&run.path().join("plan.json"), &|| {
            run.read_document("plan.json").map(drop)
        }),
        (&run.path().join("lock"), &|| run.lock().map(drop)),
        (&log, &|| told(&run)),
        (&log, &|| run.attempt_log("a", 1, Some(7)).map(drop)),
    ];
    for (path, opens) in rows {
        opens().expect("own");
        set(path, 0o620);
        let failure = not_own(opens());
        assert_eq!(
            (failure.class, &failure.code),
            (Class::Refused, &"state.not-own".into())
        );
        let name = path.display().to_string();
        assert!(failure.message.contains(&name), "{failure:?}");
        assert!(failure.help[1].contains("chmod go-w"), "{failure:?}");
        set(path, 0o600);
        opens().expect("own again");
        let parent = path.parent().expect("a folder");
        set(parent, 0o777);
        not_own(opens());
        set(parent, 0o700);
    }
}

#[test]
fn what_is_made_only_its_owner_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = run(folder.path());
    let made = ["", "journal", "plan.json", "lock", "logs", "logs/a.1.log"];
    for name in made {
        let path = run.path().join(name);
        let mode = fs::metadata(&path).expect(name).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
}

#[test]
fn a_link_in_a_folder_that_others_can_write_is_not_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = run(folder.path());
    let precious = folder.path().join("precious");
    fs::write(&precious, "precious").expect("written");
    set(&precious, 0o600);
    set(run.path(), 0o777);
    for name in ["lock", "plan.json.new"] {
        let _ = fs::remove_file(run.path().join(name));
        symlink(&precious, run.path().join(name)).expect("made");
    }
    not_own(run.lock());
    not_own(run.write_document("plan.json", b"other"));
    assert_eq!(fs::read(&precious).expect("there"), b"precious");
}
