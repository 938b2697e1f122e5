//! A run that is killed after any of its records, and resumed: nothing is built twice, no log line
//! is lost or duplicated, and no object is left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use sidestep_engine::{AttemptSink, Cleaner, Executor, Removal, RunOptions, Stop, Work};
use sidestep_events::{
    Event, Exit, Failure, Intent, Location, LogLevel, LogLine, LogSource, OnExit, log_field,
};
use sidestep_test_harness::files;
use tokio_util::sync::CancellationToken;

use crate::script::{Script, World, plain};

const LINES: u64 = 4;

/// An effect outside the runner.
#[derive(Debug, Clone)]
enum Effect {
    Built(String),
    Removed(String),
}

/// A cluster and its history: each effect with the length of the journal at that time.
struct Outside {
    journal: PathBuf,
    history: Mutex<Vec<(u64, Effect)>>,
}

impl Outside {
    fn new(journal: PathBuf, before: Vec<(u64, Effect)>) -> Arc<Self> {
        Arc::new(Self {
            journal,
            history: Mutex::new(before),
        })
    }

    fn add(&self, effect: Effect) {
        let length = std::fs::metadata(&self.journal).expect("there").len();
        self.history.lock().expect("whole").push((length, effect));
    }

    fn pods(&self) -> BTreeSet<String> {
        let mut pods = BTreeSet::new();
        for (_, effect) in self.history.lock().expect("whole").iter() {
            match effect {
                Effect::Built(name) => assert!(pods.insert(name.clone()), "made twice"),
                Effect::Removed(name) => assert!(pods.remove(name), "removed twice"),
            }
        }
        pods
    }

    fn builds(&self) -> usize {
        let history = self.history.lock().expect("whole");
        let built = |(_, effect): &&(u64, Effect)| matches!(effect, Effect::Built(_));
        history.iter().filter(built).count()
    }
}

/// Builds as a plugin does: creates a pod or finds its own, and reads its log from the last
/// position.
#[async_trait]
impl Executor for Outside {
    async fn execute(
        &self,
        work: Work,
        sink: Arc<AttemptSink>,
        _: CancellationToken,
    ) -> Result<Value, Failure> {
        if work.step == "context" {
            return Ok(json!({"uri": "gs://b/1"}));
        }
        let name = format!("pod-{}", work.attempt);
        let place = Location::Cluster {
            cluster: "c".into(),
            namespace: "builds".into(),
        };
        let intent = sink.intent("pod", place, &name, OnExit::Delete, None)?;
        if !self.pods().contains(&name) {
            self.add(Effect::Built(name.clone()));
        }
        sink.done(intent, Some("uid".into()), false)?;
        let read = work.positions.get(&name).and_then(|pod| pod.get("main"));
        for line in read.and_then(Value::as_u64).unwrap_or(0)..LINES {
            sink.event(Event::Log(LogLine {
                source: LogSource::Pod,
                level: LogLevel::Info,
                message: format!("line {line}").into(),
                end: sidestep_events::LineEnd::Feed,
                fields: BTreeMap::from([
                    (log_field::POD.into(), json!(name).into()),
                    (log_field::CONTAINER.into(), json!("main").into()),
                    (log_field::POSITION.into(), json!(line + 1).into()),
                ]),
                offset: None,
            }));
        }
        Ok(json!({"digest": "sha256:d"}))
    }
}

#[async_trait]
impl Cleaner for Outside {
    async fn remove(&self, intent: &Intent) -> Result<Removal, Failure> {
        let there = self.pods().contains(intent.name.exact());
        if !there {
            return Ok(Removal::Absent);
        }
        self.add(Effect::Removed(intent.name.exact().to_owned()));
        Ok(Removal::Gone)
    }
}

async fn go(world: &World, outside: &Arc<Outside>) {
    let script = Script::new().step("context", &[], vec![plain()]).step(
        "build",
        &["context"],
        vec![plain()],
    );
    let (end, _) = world
        .run_on(
            &Arc::new(script),
            outside.clone(),
            outside.clone(),
            RunOptions::default(),
            Stop::new(),
        )
        .await;
    assert_eq!(end.exit, Exit::Success);
    assert_eq!(end.outputs, Some(json!({"digest": "sha256:d"})));
}

/// Returns the end of each record of a journal, starting with the header's. A frame is a length
/// (u32, little endian), a checksum of four bytes, and that many bytes.
fn ends(journal: &Path) -> Vec<usize> {
    let bytes = std::fs::read(journal).expect("there");
    let (mut ends, mut at) = (Vec::new(), 0);
    while let Some(length) = bytes[at..].first_chunk::<4>() {
        at += 8 + u32::from_le_bytes(*length) as usize;
        ends.push(at);
    }
    ends
}

#[tokio::test(start_paused = true)]
async fn after_any_record_a_killed_run_is_gone_on_with_and_nothing_is_built_twice() {
    let world = World::new();
    let folder = world.runs.root().join("r1");
    let outside = Outside::new(folder.join("journal"), Vec::new());
    go(&world, &outside).await;
    let history = outside.history.lock().expect("whole").clone();
    assert_eq!((outside.builds(), outside.pods().len()), (1, 0));
    let ends = ends(&folder.join("journal"));
    assert!(ends.len() > 15, "{ends:?}");

    for end in ends {
        // Killed before the next outside effect, and right after it.
        for also_equal in [false, true] {
            let killed = World::new();
            let place = killed.runs.root().join("r1");
            files::copy(&folder, &place);
            let journal = place.join("journal");
            let file = std::fs::File::options().write(true).open(&journal);
            file.and_then(|file| file.set_len(end as u64))
                .expect("it can be cut");
            let happened = history.iter().filter(|(length, _)| {
                *length < end as u64 || (also_equal && *length == end as u64)
            });
            let outside = Outside::new(journal, happened.cloned().collect());
            go(&killed, &outside).await;
            assert_eq!(outside.builds(), 1, "killed at {end} ({also_equal})");
            assert_eq!(outside.pods(), BTreeSet::new(), "nothing is left");
            let expected: Vec<String> = (0..LINES).map(|line| format!("line {line}")).collect();
            assert_eq!(killed.lines(), expected, "killed at {end} ({also_equal})");
        }
    }
}
