//! `iam`: service accounts, keys, policies, roles, pools and providers, to be read.

mod answers;
pub(super) mod federation;
pub(super) mod target;

use sidestep_policy::Capability as Key;
use sidestep_policy::iam::Request;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::sidestep::gcp::iam as wit;
use crate::bindings::sidestep::host::types::Failure as WitFailure;
use crate::gate::functions::iam as functions;
use crate::{Capability, StepState};
use target::Target;

pub(crate) const CAPABILITY: Capability = Capability {
    key: Key::Iam,
    interface: "sidestep:gcp/iam",
    version: "0.1.0",
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<StepState>>(linker, |state| state)
}

impl wit::Host for StepState {
    async fn read(
        &mut self,
        queries: Vec<wit::Query>,
    ) -> wasmtime::Result<Vec<Result<wit::Answer, WitFailure>>> {
        let google = self.services.google();
        self.each(google, queries, |gate, google, query| async move {
            let target = Target::of(&query);
            let call = Request {
                project: target.project(),
                resource: target.resource(),
                action: target.action,
            };
            let found = gate
                .call(functions::READ, &call)
                .run(answers::answer(&google, &query, &target))
                .await;
            gate.shown().rights(found, answers::shows_right)
        })
        .await
    }
}
