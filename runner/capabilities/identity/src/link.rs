//! `sidestep:identity/prove`: the interface's functions, each before the gate.

use std::sync::Arc;

use serde_json::Value;
use sidestep_bindings::sidestep::host::types::Failure as WitFailure;
use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_events::Event;
use sidestep_gate::functions::identity as functions;
use sidestep_gate::{CallError, Capability, Gate, StepState};
use sidestep_policy::identity::IdentityCall;
use sidestep_policy::{Capability as Key, artifact_registry, iam, project, storage};
use wasmtime::component::Linker;

use super::federation::{self, Evaluates};
use super::proof::Proof;
use super::target::Address;
use super::{Identity, conditions};
use crate::{Calls, HasCalls};

/// Grant key and functions.
pub const CAPABILITY: Capability = Capability {
    key: Key::Identity,
    link,
};

fn link(linker: &mut Linker<StepState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasCalls>(linker, |state| Calls(state))
}

impl wit::Host for Calls<'_> {
    async fn who_am_i(&mut self) -> Result<wit::Caller, CallError> {
        let (identity, step) = (self.identity()?, Arc::clone(&self.step));
        let call = self.gate.call_within(
            functions::WHO_AM_I,
            Key::Identity,
            "read the runner's identity".to_owned(),
        );
        let found = call
            .run(async { identity.who_am_i(&step.masks).await })
            .await?;
        if let Some(warning) = found.warning {
            step.emit(Event::Warning(warning));
        }
        Ok(wit::Caller {
            principal: found.origin.principal,
            source: found.origin.source,
            location: found.origin.location,
            project: found.origin.project,
            claims: found.claims.map(|claims| Value::Object(claims).to_string()),
            provider: found.origin.audience.as_deref().and_then(provider),
        })
    }

    async fn federate(
        &mut self,
        claims: String,
        mappings: Vec<wit::Mapping>,
        condition: Option<String>,
    ) -> Result<wit::Federation, CallError> {
        let evaluates: Arc<Evaluates> = self.services.get("evaluator of conditions")?;
        let call = self.gate.call_within(
            functions::FEDERATE,
            Key::Identity,
            "evaluate a provider's condition".to_owned(),
        );
        let mappings = mappings
            .into_iter()
            .map(|mapping| (mapping.attribute, mapping.expression))
            .collect();
        let found = call
            .run(federation::decide(evaluates, claims, mappings, condition))
            .await;
        // Only the plugin knows whether the token has what a policy names.
        let found = self.gate.shown().rights(found, |_| true)?;
        Ok(federation::told(found))
    }

    async fn decide(
        &mut self,
        conditions: Vec<String>,
        attributes: wit::Attributes,
    ) -> Result<Vec<wit::Decision>, CallError> {
        let evaluates: Arc<Evaluates> = self.services.get("evaluator of conditions")?;
        let call = self.gate.call_within(
            functions::DECIDE,
            Key::Identity,
            "decide conditions of a policy".to_owned(),
        );
        let found = call
            .run(conditions::decide(evaluates, conditions, attributes))
            .await;
        // Only the plugin knows what hangs on a condition.
        let found = self.gate.shown().rights(found, |_| true)?;
        Ok(conditions::told(found))
    }

    async fn prove(
        &mut self,
        subjects: Vec<wit::Subject>,
    ) -> wasmtime::Result<Vec<Result<wit::Proof, WitFailure>>> {
        let (gate, identity) = (Arc::clone(&self.gate), self.identity()?);
        let answers = gate.each(subjects, |gate, subject| {
            let identity = &identity;
            async move {
                let gate = &*gate;
                let call = IdentityCall {
                    cluster: &subject.cluster,
                    namespace: &subject.namespace,
                    service_account: &subject.service_account,
                };
                let may_read = |address: &Address<'_>| may_read(gate, address);
                let proof = gate
                    .call(functions::PROVE, &call)
                    .run(identity.prove(&subject, may_read))
                    .await;
                gate.shown()
                    .rights(proof, |proof| proof.is_broken(&subject))
            }
        });
        let answers = answers.await.into_iter();
        Ok(answers
            .map(|answer| match answer {
                Ok(proof) => Ok(self.proof(proof)),
                Err(failure) => Err(self.failure(failure)),
            })
            .collect())
    }
}

impl Calls<'_> {
    fn identity(&self) -> wasmtime::Result<Arc<Identity>> {
        self.services.get("clients to prove identities with")
    }

    /// Converts a proof to the plugin's form, with each failure masked.
    fn proof(&self, proof: Proof) -> wit::Proof {
        wit::Proof {
            principal: proof.principal,
            links: proof
                .links
                .into_iter()
                .map(|(link, failure)| wit::LinkResult {
                    link,
                    failure: failure.map(|failure| self.failure(failure)),
                })
                .collect(),
            targets: proof
                .targets
                .into_iter()
                .map(|target| wit::TargetResult {
                    granted: target.granted,
                    failure: target.failure.map(|failure| self.failure(failure)),
                    object: target
                        .object
                        .map(|read| read.map_err(|failure| self.failure(failure))),
                })
                .collect(),
        }
    }
}

/// Returns the name of a workload identity provider from the audience of a token's exchange.
fn provider(audience: &str) -> Option<String> {
    let name = audience.strip_prefix("//iam.googleapis.com/")?;
    let of_workloads = name.starts_with("projects/") && name.contains("/workloadIdentityPools/");
    of_workloads.then(|| name.to_owned())
}

/// Returns whether the step's other grants let it read a target as the runner: the permission to
/// prove an identity does not include reading as the runner.
fn may_read(gate: &Gate, address: &Address<'_>) -> bool {
    let permitted = match address.resource {
        wit::PolicyResource::Project(project) => gate.permits(&project::ProjectCall {
            project,
            action: "get",
        }),
        wit::PolicyResource::ServiceAccount(_) => gate.permits(&iam::IamCall {
            project: address.name.project(),
            resource: Some(address.name.as_str()),
            action: "get",
        }),
        wit::PolicyResource::Bucket(bucket) => gate.permits(&storage::StorageCall {
            bucket,
            object: None,
            action: "getBucket",
        }),
        wit::PolicyResource::Repository(repository) => {
            gate.permits(&artifact_registry::ArtifactRegistryCall {
                repository,
                action: "get",
            })
        }
        // The grant for a secret includes its value, which is a different permission from reading
        // its policy.
        wit::PolicyResource::Secret(_) => return false,
    };
    permitted.is_ok()
}
