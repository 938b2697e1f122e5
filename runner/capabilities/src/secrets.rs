//! `secrets`: the pipeline's secrets, as handles.

use sidestep_events::{Class, Failure, Owner};
use sidestep_policy::Capability as Key;
use sidestep_policy::secrets::Request;
use wasmtime::component::{HasSelf, Linker, Resource};

use crate::bindings::sidestep::secrets::names as wit;
use crate::gate::functions::secrets as functions;
use crate::{CallError, Capability, Secret, StepState};

pub(crate) const CAPABILITY: Capability = Capability {
    key: Key::Secrets,
    interface: "sidestep:secrets/names",
    version: "0.1.0",
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<StepState>>(linker, |state| state)
}

impl wit::Host for StepState {
    async fn get(&mut self, name: String) -> Result<Resource<Secret>, CallError> {
        let secret = self.services.secrets.get(&name).cloned();
        let secret = self
            .gate
            .call(functions::GET, &Request { name: &name })
            .run(async {
                secret.ok_or_else(|| {
                    Failure::new(
                        Class::NotFound,
                        "secret.not-found",
                        Owner::Author,
                        format!("the pipeline has no secret `{name}`"),
                    )
                    .with_help("name it in the pipeline's `secrets`, and in the step's")
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
