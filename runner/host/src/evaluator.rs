//! Evaluates untrusted expressions, schemas and patterns in a module with its own Store.
//!
//! The module has no imports, so it can only compute. Fuel limits the time and the Store's limiter
//! the memory; both limits work the same on every machine.

mod instance;
mod limits;
mod stored;
mod warm;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use sidestep_catalog::Pages;
use sidestep_evaluator::{Answer, Budget, Evaluator, Question, Stopped, plain};
use wasmtime::{Config, Engine, Trap};

use crate::aot::{self, Embedded, in_place};
use crate::engine::for_any_processor;

pub use limits::EvaluationLimits;
pub use warm::warm_evaluator;

use instance::{Instance, Prepared};

/// The size in bytes of the stack for the module's own calls. The longest expression takes a tenth.
const MODULE_STACK: usize = 4 << 20;
/// The size in bytes of the stack that the module runs on, including the host's part. Only pages
/// that are touched take memory.
const STACK: usize = MODULE_STACK + (1 << 20);
/// The maximum number of idle instances, and the maximum memory of each.
const MOST_IDLE: usize = 4;
const IDLE_MEMORY: usize = 16 << 20;

/// Evaluates expressions, schemas and patterns in the module that the runner's build embeds. The
/// module is loaded when the first question is asked.
#[derive(Debug)]
pub struct ModuleEvaluator {
    code: Embedded<'static>,
    /// The module's initial memory that the build stored; empty if it stored none.
    kept: &'static [u8],
    limits: EvaluationLimits,
    prepared: OnceLock<Result<Prepared, String>>,
    idle: Mutex<Vec<Instance>>,
    /// The rest of the run's budgets of steps and of bytes of answers.
    steps_left: AtomicU64,
    values_left: AtomicUsize,
}

impl ModuleEvaluator {
    /// Creates an evaluator with the budgets of one run. `code` must come from
    /// [`precompile_evaluator`] in this runner's own build, never from any other source. Without
    /// code, every question fails with [`Stopped::Broken`].
    pub fn new(code: &'static [u8], limits: EvaluationLimits) -> Self {
        Self::of(Embedded::Bytes(code), &[], limits)
    }

    /// Creates an evaluator like [`new`](Self::new), but executes the code in place. `kept` is the
    /// result of [`warm_evaluator`] for this very code, or empty.
    pub fn embedded(
        code: &'static Pages<[u8]>,
        kept: &'static [u8],
        limits: EvaluationLimits,
    ) -> Self {
        Self::of(Embedded::Pages(code), kept, limits)
    }

    fn of(code: Embedded<'static>, kept: &'static [u8], limits: EvaluationLimits) -> Self {
        Self {
            code,
            kept,
            prepared: OnceLock::new(),
            idle: Mutex::default(),
            steps_left: AtomicU64::new(limits.steps_in_all),
            values_left: AtomicUsize::new(limits.values_in_all),
            limits,
        }
    }

    /// Returns how many steps all questions together have taken so far.
    pub fn steps(&self) -> u64 {
        self.limits.steps_in_all - self.steps_left.load(Ordering::Relaxed)
    }

    fn prepared(&self) -> Result<&Prepared, Stopped> {
        let prepare = || {
            if self.code.is_empty() {
                return Err("this build has no evaluator".to_owned());
            }
            let engine = Engine::new(&config()).map_err(|error| format!("{error:#}"))?;
            let module = aot::deserialize_module(&engine, self.code)?;
            Prepared::new(&engine, &module).map_err(|error| format!("{error:#}"))
        };
        let prepared = self.prepared.get_or_init(prepare);
        prepared
            .as_ref()
            .map_err(|why| Stopped::Broken(why.clone()))
    }

    /// Returns an idle instance, or a new one.
    fn instance(&self) -> Result<Instance, Stopped> {
        let waiting = self.idle().pop();
        match waiting {
            Some(instance) => Ok(instance),
            None => Instance::new(self.prepared()?, self.limits.memory, self.kept)
                .map_err(|error| Stopped::Broken(format!("{error:#}"))),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Instance>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns why an instance ended without an answer.
    fn ended(&self, error: &wasmtime::Error, instance: &Instance, steps: u64) -> Stopped {
        let limits = &self.limits;
        if instance.was_refused_memory() {
            return Budget::Memory(limits.memory).into();
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) if steps < limits.steps => {
                Budget::StepsInAll(limits.steps_in_all).into()
            }
            Some(Trap::OutOfFuel) => Budget::Steps(limits.steps).into(),
            // The module's data lies above its stack in memory, so the stack ends at address 0.
            Some(Trap::StackOverflow | Trap::MemoryOutOfBounds) => Budget::Depth.into(),
            _ => Stopped::Broken(format!("{error:#}")),
        }
    }

    /// Takes an answer's bytes from the run's budget. Fails if the answer or the run exceeds its
    /// budget.
    fn hold(&self, text: &[u8]) -> Result<(), Stopped> {
        let limits = &self.limits;
        let room = limits::room(text);
        if room > limits.value {
            return Err(Budget::Value(limits.value).into());
        }
        let less = |left: usize| left.checked_sub(room);
        self.values_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .map(|_| ())
            .map_err(|_| Budget::ValuesInAll(limits.values_in_all).into())
    }

    /// Returns the runner's own answer, if the budget has room for it.
    fn held(&self, answer: Answer) -> Result<Answer, Stopped> {
        let text =
            serde_json::to_vec(&answer).map_err(|error| Stopped::Broken(error.to_string()))?;
        self.hold(&text)?;
        Ok(answer)
    }

    /// Parses an answer, if the budget has room for it.
    fn read(&self, text: &[u8]) -> Result<Answer, Stopped> {
        self.hold(text)?;
        // The module writes valid JSON, so only its depth can exceed a limit.
        serde_json::from_slice(text).map_err(|_| Budget::Depth.into())
    }
}

impl Evaluator for ModuleEvaluator {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, Stopped> {
        let left = self.steps_left.load(Ordering::Relaxed);
        let steps = self.limits.steps.min(left);
        if steps == 0 {
            return Err(Budget::StepsInAll(self.limits.steps_in_all).into());
        }
        if let Some(answer) = plain(question) {
            return self.held(answer);
        }
        let question =
            serde_json::to_vec(question).map_err(|error| Stopped::Broken(error.to_string()))?;
        let mut instance = self.instance()?;
        let answer = instance.answer(&question, steps);
        // Concurrent questions may together take slightly more than was left.
        let taken = instance.steps_taken(steps);
        let less = |left: u64| Some(left.saturating_sub(taken));
        let _ = self
            .steps_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        let text = match answer {
            Ok(text) => text,
            Err(error) => match error.downcast_ref::<Trap>() {
                // Only a panic ends in this trap, and only the question can cause it.
                Some(Trap::UnreachableCodeReached) if !instance.was_refused_memory() => {
                    return Ok(Answer::Wrong("the evaluator crashed on it".to_owned()));
                }
                _ => return Err(self.ended(&error, &instance, steps)),
            },
        };
        let answer = self.read(&text);
        let mut idle = self.idle();
        if idle.len() < MOST_IDLE && instance.memory() <= IDLE_MEMORY {
            idle.push(instance);
        }
        answer
    }

    fn ask_at_once(&self, question: &Question<'_>) -> Option<Answer> {
        if self.steps_left.load(Ordering::Relaxed) == 0 {
            return None;
        }
        plain(question).and_then(|answer| self.held(answer).ok())
    }

    fn charge(&self, steps: u64) -> Result<(), Stopped> {
        let less = |left: u64| left.checked_sub(steps);
        self.steps_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .map(|_| ())
            .map_err(|_| {
                self.steps_left.store(0, Ordering::Relaxed);
                Budget::StepsInAll(self.limits.steps_in_all).into()
            })
    }
}

/// Compiles the evaluator's module for the build that embeds it.
pub fn precompile_evaluator(module: &[u8]) -> Result<Vec<u8>, String> {
    for_any_processor(config())
        .and_then(|engine| engine.precompile_module(module))
        .map_err(|error| format!("{error:#}"))
}

/// Returns the settings of the evaluator's engine. The runner and the build that compiles the
/// module for it must use the same settings.
fn config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        // Copy-on-write memory images are files, which a limit on the size of files forbids.
        .memory_init_cow(false)
        .max_wasm_stack(MODULE_STACK)
        .async_stack_size(STACK)
        // The code is embedded, so debug information would make every runner larger.
        .generate_address_map(false)
        .native_unwind_info(false)
        .wasm_backtrace_max_frames(None);
    in_place::allow(&mut config);
    config
}

#[cfg(test)]
mod tests;
