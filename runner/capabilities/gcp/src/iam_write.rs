//! `iamWrite`: sets policies, and creates accounts, pools and providers.

mod account;
mod create;
mod operation;
mod policy;
mod pool;
mod provider;

use std::sync::Arc;

use sidestep_bindings::sidestep::gcp::iam_write as wit;
use sidestep_bindings::sidestep::gcp::types::{Policy, PolicyResource};
use sidestep_bindings::sidestep::host::types::Creation;
use sidestep_events::{Location, OnExit};
use sidestep_gate::{CallError, Capability, NewIntent, StepState};
use sidestep_policy::Capability as Key;
use sidestep_policy::iam_write::IamWriteCall;
use wasmtime::component::Linker;

use crate::{Calls, HasCalls};
use account::Account;
use create::New;
use pool::Pool;
use provider::Provider;

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::IamWrite,
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl wit::Host for Calls<'_> {
    async fn set_policy(
        &mut self,
        target: PolicyResource,
        policy: Policy,
    ) -> Result<Policy, CallError> {
        let (gate, google) = (Arc::clone(&self.gate), self.google()?);
        Ok(policy::set(&gate, &google, &target, &policy).await?)
    }

    async fn create_service_account(
        &mut self,
        account: wit::NewServiceAccount,
    ) -> Result<wit::CreatedServiceAccount, CallError> {
        let (account, outcome) = self.make(Account::new(account)).await?;
        Ok(wit::CreatedServiceAccount { account, outcome })
    }

    async fn create_pool(&mut self, pool: wit::NewPool) -> Result<wit::CreatedPool, CallError> {
        let (pool, outcome) = self.make(Pool::new(pool)).await?;
        Ok(wit::CreatedPool { pool, outcome })
    }

    async fn create_provider(
        &mut self,
        provider: wit::NewProvider,
    ) -> Result<wit::CreatedProvider, CallError> {
        let (provider, outcome) = self.make(Provider::new(provider)).await?;
        Ok(wit::CreatedProvider { provider, outcome })
    }
}

impl Calls<'_> {
    /// Creates a resource, or accepts an existing one that matches the request.
    async fn make<N: New>(&mut self, new: N) -> Result<(N::Made, Creation), CallError> {
        let (gate, google) = (Arc::clone(&self.gate), self.google()?);
        let named = new.named();
        let judged = IamWriteCall {
            resource: named.as_str(),
            role: None,
            member: None,
        };
        let intent = NewIntent {
            kind: N::KIND.to_owned(),
            location: Location::Project {
                project: named.project().unwrap_or_default().to_owned(),
            },
            name: named.as_str().to_owned(),
            // The step was asked to create it, and other resources begin to depend on it.
            on_exit: OnExit::Keep,
            expiry: None,
        };
        let work = async {
            let (found, outcome) = create::create(&google, &new).await?;
            let id = N::id(&found);
            Ok(((N::made(found), outcome), id))
        };
        // Nothing is journaled for a resource that cannot be created.
        let wrong = named.name().err();
        let call = gate.call(N::FUNCTION, &judged).and_unless(wrong);
        Ok(call.create(intent, work).await?)
    }
}
