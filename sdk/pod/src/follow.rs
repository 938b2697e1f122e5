//! Follows a pod to its end.

use sidestep::kubernetes::{self, FollowOptions, Matched, Pattern, Update};
use sidestep::serde_json::{self, Value};
use sidestep::{Error, Progress, Result, Step, codes};

use crate::ending::Seen;
use crate::helper::CONTEXT;
use crate::start::Started;
use crate::told::Told;
use crate::watch::Watch;
use crate::work::Work;

/// The host's code when there is no pod to follow.
const NOT_FOUND: &str = codes::pod::NOT_FOUND;

/// The parts of the log that the plugin reads.
#[derive(Debug)]
pub struct Following {
    /// The lines to report.
    pub patterns: Vec<Pattern>,
    /// The bytes at the log's end to return.
    pub tail: u32,
}

/// The end of a followed pod.
#[derive(Debug)]
pub struct Followed {
    /// The facts about the pod.
    pub seen: Seen,
    /// Whether this run asked for the pod's deletion.
    pub asked: bool,
    /// The end of the container's log.
    pub tail: String,
}

/// Follows the pod to its end. Warnings of the cluster are logged, its state is the step's progress,
/// and each line of the log that matches is passed to `matched`.
///
/// # Errors
///
/// If a problem outlasts its time, or the pod can't be followed.
pub fn follow(
    step: &Step,
    work: &Work<'_>,
    started: &Started,
    following: Following,
    mut matched: impl FnMut(&str),
) -> Result<Followed> {
    // The log of the container that fetches the context says what went wrong in it.
    let context = work.context.map(|_| CONTEXT);
    let containers = context.into_iter().chain([work.container]);
    let options = FollowOptions {
        containers: containers.map(str::to_owned).collect(),
        patterns: following.patterns,
    };
    let follow = kubernetes::follow_pod(&started.pod, &options)?;
    let mut watch = Watch::default();
    let mut seen = Seen::new(work.container);
    seen.state(&started.object);
    let mut told: Told = step.last_checkpoint()?.unwrap_or_default();
    let mut asked = None;
    loop {
        let update = match kubernetes::next(&follow, watch.patience(step.now())) {
            // It was made, and was gone before it could be watched.
            Err(error) if error.code == NOT_FOUND => {
                seen.end();
                return Ok(Followed {
                    seen,
                    asked: false,
                    tail: String::new(),
                });
            }
            update => update?,
        };
        match update {
            None => {}
            Some(Update::Status(state)) => {
                let state = read(&state)?;
                seen.state(&state);
                // An earlier incarnation's clean-up deleted the pod that this one goes on with.
                asked.get_or_insert(step.resumed() && seen.is_deleted());
                if let Some(line) = watch.state(&state, step.now(), work) {
                    report(step, &line);
                }
            }
            Some(Update::Event(event)) => {
                let event = read(&event)?;
                watch.event(&event, step.now(), work);
                tell(step, &event, &mut told)?;
            }
            Some(Update::Matched(Matched { text, .. })) => matched(&text),
            Some(Update::Ended(state)) => {
                let tail = kubernetes::tail(&follow, work.container, following.tail)?;
                seen.state(&read(&state)?);
                seen.end();
                let asked = asked.unwrap_or(false);
                return Ok(Followed { seen, asked, tail });
            }
        }
        if let Some(error) = watch.verdict(step.now()) {
            return Err(error);
        }
    }
}

fn report(step: &Step, line: &str) {
    step.progress(&Progress {
        message: line.to_owned(),
        done: 0,
        total: None,
        unit: String::new(),
    });
}

/// Logs each warning once; what goes well is in the progress.
fn tell(step: &Step, event: &Value, told: &mut Told) -> Result<()> {
    let text = |key: &str| event[key].as_str().unwrap_or_default();
    let (reason, message) = (text("reason"), text("message"));
    if text("type") == "Warning" && told.note(reason, message) {
        sidestep::warn!("{reason}: {message}");
        return step.checkpoint(told);
    }
    sidestep::debug!("{reason}: {message}");
    Ok(())
}

fn read(text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|error| Error::from(error).context("reading the pod's state"))
}
