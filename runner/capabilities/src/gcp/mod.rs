//! Google Cloud's control plane: one module a grant key.

pub(crate) mod artifact_registry;
pub(crate) mod gke;
pub(crate) mod iam;
pub(crate) mod iam_write;
pub(crate) mod project;
pub(crate) mod resource;
pub(crate) mod secret_manager;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use sidestep_events::Failure;

use crate::bindings::sidestep::host::types::Failure as WitFailure;
use crate::google::ControlPlane;
use crate::{Gate, StepState};

impl StepState {
    /// Asks Google about each item, side by side; `ask` brings it before the gate.
    async fn ask_each<I, T, F>(
        &mut self,
        items: Vec<I>,
        mut ask: impl FnMut(Arc<Gate>, ControlPlane, I) -> F,
    ) -> wasmtime::Result<Vec<Result<T, WitFailure>>>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let (gate, google) = (Arc::clone(&self.gate), self.google()?);
        let answers = gate
            .each(items, |item| ask(Arc::clone(&gate), google.clone(), item))
            .await;
        Ok(answers
            .into_iter()
            .map(|answer| answer.map_err(|why| self.failure(why)))
            .collect())
    }

    /// The client of Google's control plane.
    fn google(&self) -> wasmtime::Result<ControlPlane> {
        self.services
            .google
            .clone()
            .ok_or_else(|| wasmtime::Error::msg("this run has no client for Google Cloud"))
    }
}
