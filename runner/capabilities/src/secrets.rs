//! `secrets`: the pipeline's secrets, as handles.

use std::collections::BTreeMap;

use sidestep_bindings::sidestep::secrets::names as wit;
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::functions::secrets as functions;
use sidestep_gate::{CallError, Capability, Secret, StepState};
use sidestep_policy::Capability as Key;
use sidestep_policy::secrets::SecretsCall;
use wasmtime::component::{Linker, Resource};

use crate::{Calls, HasCalls};

pub(crate) const CAPABILITY: Capability = Capability {
    key: Key::Secrets,
    link,
};

/// The pipeline's secrets by name. They are in the masks from the start.
#[derive(Debug, Default)]
pub struct Secrets(pub BTreeMap<String, Secret>);

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl wit::Host for Calls<'_> {
    async fn get(&mut self, name: String) -> Result<Resource<Secret>, CallError> {
        let secrets = self.services.find::<Secrets>();
        let secret = secrets.and_then(|secrets| secrets.0.get(&name).cloned());
        let secret = self
            .gate
            .call(functions::GET, &SecretsCall { name: &name })
            .run(async {
                secret.ok_or_else(|| {
                    Failure::new(
                        Class::NotFound,
                        codes::secret::NOT_FOUND,
                        Owner::Author,
                        format!("the pipeline has no secret `{name}`"),
                    )
                    .with_help("list it in the pipeline's `secrets`, and in the step's")
                })
            })
            .await?;
        self.step
            .masks
            .add(secret.expose())
            .map_err(|why| why.failure(&format!("the secret {name}"), Owner::Operator))?;
        Ok(self.table.push(secret)?)
    }
}
