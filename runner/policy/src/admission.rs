//! Decides whether a step may create an object. A pod is checked field by field.

use serde_json::Value;

use crate::Capability;
use crate::ceiling::Ceiling;
use crate::kubernetes::KubernetesCall;
use crate::pod::PodRefusal;
use crate::refusal::Refusal;
use crate::scope::{Scope, quote};
use crate::step_scopes::StepScopes;

impl StepScopes {
    /// Checks whether the step may create this object: the call itself, and for a pod every field.
    /// `own_secrets` are the names of Secrets that the host creates for this pod.
    pub fn admits(
        &self,
        call: &KubernetesCall<'_>,
        object: &Value,
        own_secrets: &[&str],
    ) -> Result<(), Refusal> {
        self.allows(call)?;
        let template = ["/spec/template", "/spec/jobTemplate"]
            .iter()
            .find(|at| object.pointer(at).is_some());
        if let Some(at) = template {
            return Err(refused(format!(
                "{} has a pod template at {at}; only pods can be created",
                call.resource
            )));
        }
        if call.resource != "pods" {
            return Ok(());
        }
        let grant = self
            .get(Capability::Kubernetes)
            .ok_or_else(|| refused("no cluster is granted"))?;
        let pod = Pod {
            call,
            object,
            own_secrets,
        };
        for scopes in [Some(&grant.granted), grant.requested.as_ref()] {
            let Some(scopes) = scopes else { continue };
            pod.within(scopes.iter()).map_err(not_granted)?;
        }
        let mut binding = self.ceilings.iter().filter(|c| !c.audit).peekable();
        if binding.peek().is_none() {
            // Dangerous fields need a policy that names them, and there is no policy.
            let bare: Vec<Scope> = grant
                .scopes()
                .iter()
                .map(Scope::without_dangerous)
                .collect();
            pod.within(bare.iter())
                .map_err(|refusal| refused(said(&refusal)))?;
        }
        for ceiling in binding {
            pod.within(ceiling.scopes(Capability::Kubernetes))
                .map_err(|refusal| forbidden(ceiling, &refusal))?;
        }
        Ok(())
    }
}

/// A pod that is about to be created.
struct Pod<'a> {
    call: &'a KubernetesCall<'a>,
    object: &'a Value,
    own_secrets: &'a [&'a str],
}

impl Pod<'_> {
    /// Checks whether one of the scopes that allow the call admits the pod. Otherwise returns the
    /// refusal of the last one.
    fn within<'s>(&self, scopes: impl Iterator<Item = &'s Scope>) -> Result<(), PodRefusal> {
        let mut last = PodRefusal {
            field: "metadata.namespace".to_owned(),
            message: "no scope covers this namespace".to_owned(),
            missing: None,
        };
        for scope in scopes.filter(|scope| scope.contains(self.call)) {
            match scope.admits_pod(self.object, self.own_secrets) {
                Ok(()) => return Ok(()),
                Err(refusal) => last = refusal,
            }
        }
        Err(last)
    }
}

fn refused(message: impl Into<String>) -> Refusal {
    Refusal::missing(Capability::Kubernetes, message, None)
}

fn said(refusal: &PodRefusal) -> String {
    format!(
        "the pod is refused at {}: {}",
        refusal.field, refusal.message
    )
}

fn not_granted(refusal: PodRefusal) -> Refusal {
    let yaml = refusal.missing.as_ref().map(|(key, value)| {
        let value = quote(value);
        format!("grants:\n  kubernetes: [{{ …, {key}: [{value}] }}]")
    });
    Refusal::missing(Capability::Kubernetes, said(&refusal), yaml)
}

fn forbidden(ceiling: &Ceiling, refusal: &PodRefusal) -> Refusal {
    Refusal::policy(
        Capability::Kubernetes,
        &format!(
            "the pod is refused at {}, {}",
            refusal.field, refusal.message
        ),
        &ceiling.file,
        ceiling.nearest_line(Capability::Kubernetes, &[]),
    )
}
