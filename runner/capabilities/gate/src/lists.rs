//! Functions that take a list and return one answer per item, in the same order.

use std::sync::Arc;

use sidestep_events::Failure;

use crate::bindings::sidestep::host::types::Failure as WitFailure;
use crate::{Gate, Held, StepState};

impl StepState {
    /// Works on the items concurrently, each with the client; `ask` brings it before the gate.
    /// Traps if the run has no such client.
    pub async fn each<C: Clone, I, T: Held, F>(
        &mut self,
        client: wasmtime::Result<C>,
        items: Vec<I>,
        mut ask: impl FnMut(Arc<Gate>, C, I) -> F,
    ) -> wasmtime::Result<Vec<Result<T, WitFailure>>>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let (gate, client) = (Arc::clone(&self.gate), client?);
        let answers = gate
            .each(items, |gate, item| ask(gate, client.clone(), item))
            .await;
        Ok(answers
            .into_iter()
            .map(|answer| answer.map_err(|why| self.failure(why)))
            .collect())
    }
}
