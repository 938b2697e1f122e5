//! `iam`: reads service accounts, keys, policies, roles, pools and providers.

pub(super) mod answers;
pub(super) mod federation;
mod hierarchy;
pub(super) mod target;

use sidestep_bindings::sidestep::gcp::iam as wit;
use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_gate::functions::iam as functions;
use sidestep_gate::{Capability, StepState};
use sidestep_policy::Capability as Key;
use sidestep_policy::iam::IamCall;
use wasmtime::component::Linker;

use crate::{Calls, HasCalls};
use target::Target;

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::Iam,
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl wit::Host for Calls<'_> {
    async fn read(
        &mut self,
        queries: Vec<wit::Query>,
    ) -> wasmtime::Result<Vec<Result<wit::Answer, WitFailure>>> {
        let google = self.google();
        let answers = self.each(google, queries, |gate, google, query| async move {
            let target = Target::of(&query);
            let call = IamCall {
                project: target.project(),
                resource: target.resource(),
                action: target.action,
            };
            let found = gate
                .call(functions::READ, &call)
                .run(answers::answer(&google, &query, &target))
                .await;
            gate.shown().rights(found, answers::shows_right)
        });
        let answers = answers.await?.into_iter();
        Ok(answers
            .map(|found| found.map(|found| found.told(|failure| self.failure(failure))))
            .collect())
    }
}
