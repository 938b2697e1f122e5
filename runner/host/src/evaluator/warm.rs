//! Stores the module's memory after a few questions, so that a start does not have to rebuild it.
//!
//! The expression parser unpacks its tables at first use, and the schema validator compiles the
//! metaschema: millions of steps before the first answer. The build asks these questions and stores
//! the changes in the module's memory. They include the module's caches for the built-in plugins'
//! requests and schemas.

use wasmtime::Engine;

use super::config;
use super::instance::{Instance, Prepared};
use super::stored::keep;
use crate::aot::{self, Embedded};
use sidestep_evaluator::Question;

/// Runs the questions in a new instance of the compiled module, and returns the changes in its
/// memory, for [`super::ModuleEvaluator::embedded`].
pub fn warm_evaluator(code: &[u8], questions: &[Question<'_>]) -> Result<Vec<u8>, String> {
    let text = |error: wasmtime::Error| format!("{error:#}");
    let engine = Engine::new(&config()).map_err(text)?;
    let module = aot::deserialize_module(&engine, Embedded::Bytes(code))?;
    let prepared = Prepared::new(&engine, &module).map_err(text)?;
    let cold = Instance::new(&prepared, usize::MAX, &[]).map_err(text)?;
    let mut warm = Instance::new(&prepared, usize::MAX, &[]).map_err(text)?;
    for question in questions {
        let question = serde_json::to_vec(question).map_err(|error| error.to_string())?;
        warm.answer(&question, u64::MAX).map_err(text)?;
    }
    Ok(keep(cold.bytes(), warm.bytes()))
}
