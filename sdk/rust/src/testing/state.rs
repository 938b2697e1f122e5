//! The answers of a host and the record of the calls.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::rc::Rc;

use serde_json::Value;

use crate::{Diagnostic, Progress};

/// The most bytes that are shown of a call's argument.
const MOST: usize = 256;

/// The time at which a host's clock starts: 2026-01-01T00:00:00Z, in milliseconds since 1970.
const START: u64 = 1_767_225_600_000;

/// A function of a capability.
pub(crate) struct Function {
    /// The capability, as its module is named.
    pub(crate) capability: &'static str,
    pub(crate) name: &'static str,
    /// The names of its arguments.
    pub(crate) arguments: &'static str,
}

type Answers = HashMap<(&'static str, &'static str), Box<dyn Any>>;

/// The state of a host.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) answers: RefCell<Answers>,
    pub(crate) calls: RefCell<Vec<String>>,
    pub(crate) step: RefCell<OfStep>,
}

/// The part of the state that the runtime's functions read and write.
#[derive(Debug)]
pub(crate) struct OfStep {
    pub(crate) log: Vec<String>,
    pub(crate) progress: Vec<Progress>,
    pub(crate) notes: Vec<Diagnostic>,
    pub(crate) started: u64,
    pub(crate) now: u64,
    pub(crate) deadline: Option<u64>,
    pub(crate) cancelled: Option<u64>,
    pub(crate) attempt: u32,
    pub(crate) resumed: bool,
    pub(crate) checkpoint: Option<Value>,
    /// The number of random bytes that were returned.
    pub(crate) random: u64,
    /// Whether a check is running, which can only read the workspace.
    pub(crate) is_check: bool,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            answers: RefCell::default(),
            calls: RefCell::default(),
            step: RefCell::new(OfStep {
                log: Vec::new(),
                progress: Vec::new(),
                notes: Vec::new(),
                started: START,
                now: START,
                deadline: None,
                cancelled: None,
                attempt: 1,
                resumed: false,
                checkpoint: None,
                random: 0,
                is_check: false,
            }),
        }
    }
}

thread_local! {
    /// The hosts that run a step on this thread; the last one answers.
    static RUNNING: RefCell<Vec<Rc<State>>> = const { RefCell::new(Vec::new()) };
}

/// A host that answers the calls of this thread until this is dropped.
pub(crate) struct Running(());

impl Running {
    pub(crate) fn start(state: &Rc<State>) -> Self {
        RUNNING.with_borrow_mut(|running| running.push(Rc::clone(state)));
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(Vec::pop);
    }
}

/// Returns the state of the host that answers the calls of this thread.
pub(crate) fn running() -> Option<Rc<State>> {
    RUNNING.with_borrow(|running| running.last().map(Rc::clone))
}

/// Answers a call of a capability: records it, and asks the answer that the test has set, whose type
/// is `A`.
///
/// # Panics
///
/// If the test has set no answer.
pub(crate) fn call<A: 'static, T>(
    function: &Function,
    arguments: &[&dyn Debug],
    ask: impl FnOnce(&mut A) -> T,
) -> T {
    let Function {
        capability, name, ..
    } = *function;
    let arguments: Vec<String> = arguments.iter().map(|value| format!("{value:?}")).collect();
    let called = format!("{capability}::{name}({})", arguments.join(", "));
    let Some(state) = running() else {
        panic!(
            "{called} was called outside of a host: call it in `Host::run` or `Host::step` of `sidestep::testing`"
        );
    };
    assert!(
        capability == "workspace" || !state.step.borrow().is_check,
        "a check can only read the workspace, but this one called {called}"
    );
    state.calls.borrow_mut().push(called.clone());
    // Out of the table while it runs, so that an answer can call the SDK itself.
    let answer = state.answers.borrow_mut().remove(&(capability, name));
    let Some(mut answer) = answer else {
        let names = function.arguments;
        panic!(
            "the step called {called}, and the test has no answer; add this line before it runs the step:\n    host.{capability}().{name}(|{names}| …);"
        );
    };
    let known = answer.downcast_mut::<A>();
    let result = ask(known.expect("each answer is stored with the type of its function"));
    let mut answers = state.answers.borrow_mut();
    answers.entry((capability, name)).or_insert(answer);
    result
}

/// Shows bytes as text where that is possible.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Debug for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(MOST)];
        write!(f, "b\"{}\"", shown.escape_ascii())?;
        if shown.len() < self.0.len() {
            write!(f, " and {} more bytes", self.0.len() - shown.len())?;
        }
        Ok(())
    }
}
