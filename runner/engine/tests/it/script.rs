//! A program and an executor whose actions a test defines.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use sidestep_engine::*;
use sidestep_events::*;
use sidestep_state::{History, Runs, Told};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The action of one attempt.
#[derive(Clone)]
pub(crate) enum Act {
    /// Runs for this long, then succeeds with these outputs.
    Give(Duration, Value),
    /// Fails.
    Fail(Failure),
    /// Runs until it is cancelled.
    Hang,
    /// Runs and ignores cancellation.
    Ignore,
    /// Panics.
    Panic,
    /// Creates an external object that must be deleted, then continues with the next act.
    Make(&'static str, Box<Act>),
    /// Is refused an external object that would have to be deleted, then continues with the next
    /// act.
    Refused(&'static str, Box<Act>),
    /// Stores a state, then continues with the next act.
    Remember(Value, Box<Act>),
    /// Prints a pod's line, then continues with the next act.
    Say(&'static str, Box<Act>),
}

pub(crate) fn give(outputs: Value) -> Act {
    Act::Give(Duration::from_secs(1), outputs)
}

pub(crate) fn fail(class: Class, code: &'static str) -> Act {
    Act::Fail(Failure::new(class, code, Owner::Cluster, "it broke"))
}

/// Returns the namespace of the created objects.
pub(crate) fn builds() -> Location {
    Location::Cluster {
        cluster: "c".into(),
        namespace: "builds".into(),
    }
}

/// The condition under which a step runs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum If {
    Success,
    Always,
    Never,
}

pub(crate) struct Script {
    pub(crate) nodes: Vec<Node>,
    pub(crate) conditions: Vec<If>,
    pub(crate) acts: Mutex<HashMap<String, Vec<Act>>>,
    pub(crate) seen: Mutex<Vec<Work>>,
    pub(crate) parallel: Mutex<(usize, usize)>,
    pub(crate) removed: Mutex<Vec<String>>,
    pub(crate) started: tokio::sync::Notify,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self {
            nodes: Vec::new(),
            conditions: Vec::new(),
            acts: Mutex::default(),
            seen: Mutex::default(),
            parallel: Mutex::default(),
            removed: Mutex::default(),
            started: tokio::sync::Notify::new(),
        }
    }

    pub(crate) fn step(mut self, id: &str, needs: &[&str], acts: Vec<Act>) -> Self {
        let needs = needs.iter().map(|need| self.index(need)).collect();
        self.nodes.push(Node {
            step: id.split('[').next().expect("an id").into(),
            instance: id.into(),
            needs,
            ..Node::default()
        });
        self.conditions.push(If::Success);
        self.acts
            .get_mut()
            .expect("unshared")
            .insert(id.into(), acts);
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Node)) -> Self {
        change(self.nodes.last_mut().expect("a step"));
        self
    }

    pub(crate) fn when(mut self, condition: If) -> Self {
        *self.conditions.last_mut().expect("a step") = condition;
        self
    }

    fn index(&self, id: &str) -> usize {
        self.nodes
            .iter()
            .position(|node| node.instance == id)
            .expect("a step before")
    }

    pub(crate) fn attempts(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("whole");
        seen.iter()
            .map(|work| format!("{}.{}.{}", work.instance, work.attempt, work.incarnation))
            .collect()
    }
}

impl Program for Script {
    fn describe(&self) -> RunStarted {
        RunStarted {
            pipeline: "script".into(),
            file: None,
            version: "0".into(),
            plan_digest: "sha256:00".into(),
            sandbox: None,
            resumed: false,
            steps: Vec::new(),
        }
    }

    fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    fn condition(&self, index: usize, view: &RunView) -> Result<Verdict, Failure> {
        let needs = &self.nodes[index].needs;
        let satisfied = needs.iter().all(|need| view.nodes[*need].satisfies());
        let run = match self.conditions[index] {
            If::Success => satisfied && !view.cancelled,
            If::Always => true,
            If::Never => false,
        };
        Ok(if run {
            Verdict::Run
        } else {
            Verdict::Skip {
                condition: "c".into(),
                values: BTreeMap::new(),
                because_of_failure: self.conditions[index] == If::Success,
            }
        })
    }

    fn inputs(&self, index: usize, view: &RunView) -> Result<Value, Failure> {
        let needs = self.nodes[index].needs.iter();
        Ok(needs
            .map(|need| view.nodes[*need].outputs.clone().unwrap_or_default())
            .collect())
    }

    fn outputs(&self, view: &RunView) -> Result<Option<Value>, Failure> {
        Ok(view.nodes.last().and_then(|node| node.outputs.clone()))
    }
}

/// Runs a script's attempts, and removes the objects that they created.
pub(crate) struct Stage(pub(crate) Arc<Script>);

#[async_trait]
impl Executor for Stage {
    async fn execute(
        &self,
        work: Work,
        sink: Arc<AttemptSink>,
        cancel: CancellationToken,
    ) -> Result<Value, Failure> {
        let act = {
            let mut acts = self.0.acts.lock().expect("whole");
            let left = acts.get_mut(&work.instance).expect("scripted");
            if left.len() > 1 {
                left.remove(0)
            } else {
                left[0].clone()
            }
        };
        self.0.seen.lock().expect("whole").push(work.clone());
        {
            let mut parallel = self.0.parallel.lock().expect("whole");
            parallel.0 += 1;
            parallel.1 = parallel.1.max(parallel.0);
        }
        struct Leave<'a>(&'a Script);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.parallel.lock().expect("whole").0 -= 1;
            }
        }
        let _leave = Leave(&self.0);
        let mut act = act;
        loop {
            act = match act {
                Act::Make(name, next) => {
                    let id = sink.intent("pod", builds(), name, OnExit::Delete, None)?;
                    sink.done(id, Some("uid".into()), false)?;
                    *next
                }
                Act::Refused(name, next) => {
                    let id = sink.intent("pod", builds(), name, OnExit::Delete, None)?;
                    sink.done(id, None, false)?;
                    *next
                }
                Act::Remember(state, next) => {
                    sink.checkpoint(state)?;
                    *next
                }
                Act::Say(line, next) => {
                    sink.event(Event::Log(LogLine {
                        source: LogSource::Pod,
                        level: LogLevel::Info,
                        message: line.into(),
                        end: sidestep_events::LineEnd::Feed,
                        fields: BTreeMap::new(),
                        offset: None,
                    }));
                    *next
                }
                last => {
                    act = last;
                    break;
                }
            }
        }
        self.0.started.notify_one();
        match act {
            Act::Give(after, outputs) => {
                tokio::time::sleep(after).await;
                Ok(outputs)
            }
            Act::Fail(failure) => Err(failure),
            Act::Hang => {
                cancel.cancelled().await;
                Err(Failure::cancelled("as asked"))
            }
            Act::Ignore => std::future::pending().await,
            Act::Panic => panic!("a scripted panic"),
            Act::Make(..) | Act::Refused(..) | Act::Remember(..) | Act::Say(..) => {
                unreachable!("done above")
            }
        }
    }
}

#[async_trait]
impl Cleaner for Stage {
    async fn remove(&self, intent: &Intent) -> Result<Removal, Failure> {
        self.0
            .removed
            .lock()
            .expect("whole")
            .push(intent.name.exact().to_owned());
        Ok(Removal::Gone)
    }
}

/// A run's directory, which outlives its processes.
pub(crate) struct World {
    _folder: TempDir,
    pub(crate) runs: Runs,
    pub(crate) ceilings: Ceilings,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            runs: Runs::at(folder.path()),
            ceilings: Ceilings::default(),
            _folder: folder,
        }
    }

    /// Returns the lines of all logs, from the journal.
    pub(crate) fn lines(&self) -> Vec<String> {
        let run = self.runs.open(&"r1".parse().expect("an id"));
        let mut events = run.and_then(|run| run.events()).expect("readable");
        let mut lines = Vec::new();
        while let Some(told) = events.next_told().expect("readable") {
            if let Told::Event(envelope) = told
                && let Event::Log(line) = envelope.event
            {
                lines.push(line.message.text().into_exact());
            }
        }
        lines
    }

    /// Runs the script as one process would: from the start, or from the end of the journal.
    pub(crate) async fn run(
        &self,
        script: &Arc<Script>,
        options: RunOptions,
        stop: Stop,
    ) -> (RunEnd, Vec<Envelope>) {
        let stage = Arc::new(Stage(script.clone()));
        self.run_on(script, stage.clone(), stage, options, stop)
            .await
    }

    /// The same, with attempts and objects of another kind.
    pub(crate) async fn run_on(
        &self,
        script: &Arc<Script>,
        executor: Arc<dyn Executor>,
        cleaner: Arc<dyn Cleaner>,
        options: RunOptions,
        stop: Stop,
    ) -> (RunEnd, Vec<Envelope>) {
        let id = "r1".parse().expect("an id");
        let (folder, lock, journal, history) = if let Ok(folder) = self.runs.open(&id) {
            let lock = folder.lock().expect("free");
            let (journal, read) = folder.resume(&lock).expect("readable");
            (folder, lock, journal, read.history)
        } else {
            let header = Header {
                format: JOURNAL_VERSION,
                writer: "test".into(),
                run: "r1".into(),
                plan_digest: "sha256:00".into(),
                sandbox: None,
                caller: None,
                workspace: None,
            };
            let (folder, lock, journal) = self.runs.create(&id, &header).expect("new");
            (folder, lock, journal, History::default())
        };
        let (recorder, reports) = Recorder::new(
            folder,
            journal,
            &history,
            None,
            stop.clone(),
            self.ceilings,
            script.nodes.len(),
        );
        let end = run(
            script.clone(),
            recorder,
            &history,
            executor,
            cleaner,
            options,
            stop,
        )
        .await;
        drop(lock);
        let all: Vec<Envelope> = reports.collect();
        let mut expected = history.last_seq;
        for envelope in &all {
            expected += 1;
            assert_eq!(envelope.seq, expected, "no gaps");
        }
        (end, all)
    }
}

/// Runs a script once, to its own end.
pub(crate) async fn once(
    script: Script,
    options: RunOptions,
) -> (RunEnd, Vec<Envelope>, Arc<Script>) {
    let script = Arc::new(script);
    let (end, events) = World::new().run(&script, options, Stop::new()).await;
    (end, events, script)
}

/// Returns the final status of each instance, in the order in which they ended.
pub(crate) fn statuses(events: &[Envelope]) -> Vec<String> {
    events
        .iter()
        .filter_map(|envelope| {
            let instance = envelope.instance.clone()?.into_exact();
            match &envelope.event {
                Event::StepFinished(end) => Some(format!("{instance} {}", end.status)),
                Event::StepSkipped(_) => Some(format!("{instance} skipped")),
                _ => None,
            }
        })
        .collect()
}

pub(crate) fn plain() -> Act {
    give(json!({}))
}
