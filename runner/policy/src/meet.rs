use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use sidestep_events::GrantSource;

use crate::capability::Capability;
use crate::ceiling::Ceiling;
use crate::field::Reading;
use crate::grants::{self, Grants};
use crate::kubernetes;
use crate::refusal::Refusal;
use crate::scope::{Call, Scope};

/// What a plugin asks for under one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// Scopes that are known when the plan is made.
    Now(Vec<Scope>),
    /// Scopes that depend on values which only the run brings; the text says on which.
    Later(String),
}

/// What the pipeline grants to a step.
#[derive(Debug, Clone, Copy)]
pub struct Granted<'a> {
    /// What it writes.
    pub written: &'a Grants,
    /// Whether the plugin is built in, so that it is granted what it requests under every key that
    /// is not written.
    pub automatic: bool,
}

/// What a step may do: the meeting of what its plugin requests, its pipeline grants and every
/// policy allows. A call has to lie within all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepScopes {
    grants: BTreeMap<String, StepGrant>,
    /// What policies allow.
    ceilings: Vec<Ceiling>,
    /// What a policy in audit mode would have refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    audited: Vec<String>,
}

/// One capability of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepGrant {
    /// The capability.
    pub capability: Capability,
    /// Where the grant comes from.
    pub source: GrantSource,
    /// What is granted.
    pub granted: Vec<Scope>,
    /// What the plugin requests; none while that is known only later.
    pub requested: Option<Vec<Scope>>,
}

impl StepGrant {
    /// The scopes that count: the requested ones once they are known, since grants cover them.
    pub fn scopes(&self) -> &[Scope] {
        self.requested.as_deref().unwrap_or(&self.granted)
    }
}

/// Brings the three together. Every request that is known has to be covered by the grants, and
/// every grant that is written and every request by each policy; otherwise all refusals come back.
pub fn meet(
    requested: &BTreeMap<Capability, Requested>,
    granted: Granted<'_>,
    ceilings: &[Ceiling],
) -> Result<StepScopes, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut step = StepScopes {
        ceilings: ceilings.to_vec(),
        ..StepScopes::default()
    };
    for (capability, request) in requested {
        let capability = *capability;
        let written = granted.written.get(capability);
        let (source, scopes, request) = match (written, request) {
            (Some(written), Requested::Now(scopes)) => {
                refusals.extend(uncovered(capability, scopes, written));
                (
                    GrantSource::Pipeline,
                    written.to_vec(),
                    Some(scopes.clone()),
                )
            }
            (Some(written), Requested::Later(_)) => (GrantSource::Pipeline, written.to_vec(), None),
            (None, Requested::Now(scopes)) if granted.automatic || scopes.is_empty() => {
                (GrantSource::BuiltIn, scopes.clone(), Some(scopes.clone()))
            }
            // Which secrets a step gets is its own `secrets`; without it there are none.
            (None, _) if capability == Capability::Secrets => {
                (GrantSource::Pipeline, Vec::new(), None)
            }
            (None, Requested::Now(scopes)) => {
                refusals.extend(uncovered(capability, scopes, &[]));
                continue;
            }
            (None, Requested::Later(on)) => {
                refusals.push(later(capability, on, granted.automatic));
                continue;
            }
        };
        for ceiling in ceilings {
            // A written grant is judged whole, so that what a policy forbids never looks granted.
            let (refused, audited): (Vec<_>, Vec<_>) = ceiling
                .refuses(capability, &scopes)
                .into_iter()
                .partition(|_| !ceiling.audit);
            refusals.extend(refused);
            step.audited.extend(audited.into_iter().map(|r| r.message));
        }
        let grant = StepGrant {
            capability,
            source,
            granted: scopes,
            requested: request,
        };
        step.grants.insert(capability.as_str().to_owned(), grant);
    }
    if refusals.is_empty() {
        Ok(step)
    } else {
        Err(refusals)
    }
}

fn uncovered(capability: Capability, requested: &[Scope], granted: &[Scope]) -> Option<Refusal> {
    if capability == Capability::Secrets {
        return None;
    }
    let missing: Vec<Scope> = requested
        .iter()
        .filter(|scope| !scope.is_covered_by(granted.iter()))
        .cloned()
        .collect();
    if missing.is_empty() {
        return None;
    }
    let lines: Vec<String> = missing.iter().map(Scope::explain).collect();
    // The key is written once: what it has already goes into the same list.
    let all: Vec<Scope> = granted.iter().chain(&missing).cloned().collect();
    Some(Refusal::missing(
        capability,
        format!(
            "the plugin wants to {}, and no grant of `{capability}` covers that",
            lines.join("; ")
        ),
        Some(grants::yaml(capability, &all)),
    ))
}

fn later(capability: Capability, on: &str, automatic: bool) -> Refusal {
    let fields: Vec<String> = capability
        .fields()
        .iter()
        .map(|field| format!("{}: …", field.name))
        .collect();
    let yaml = format!("grants:\n  {capability}: [{{ {} }}]", fields.join(", "));
    let why = if automatic {
        "an automatic grant covers only what is known when the plan is made"
    } else {
        "what is not written is not granted"
    };
    Refusal::missing(
        capability,
        format!("what the plugin wants under `{capability}` depends on {on}, and {why}"),
        Some(yaml),
    )
}

impl StepScopes {
    /// What is granted, by capability.
    pub fn grants(&self) -> impl Iterator<Item = &StepGrant> {
        self.grants.values()
    }

    /// The grant of a capability.
    pub fn get(&self, capability: Capability) -> Option<&StepGrant> {
        self.grants.get(capability.as_str())
    }

    /// What policies in audit mode would have refused, one line each.
    pub fn audited(&self) -> &[String] {
        &self.audited
    }

    /// Fills in requests that were known only later. A request that the grants or a policy don't
    /// cover is refused.
    pub fn fill(&self, requested: &BTreeMap<Capability, Vec<Scope>>) -> Result<Self, Vec<Refusal>> {
        let mut filled = self.clone();
        let mut refusals = Vec::new();
        for (capability, scopes) in requested {
            let Some(grant) = filled.grants.get_mut(capability.as_str()) else {
                refusals.extend(uncovered(*capability, scopes, &[]));
                continue;
            };
            refusals.extend(uncovered(*capability, scopes, &grant.granted));
            grant.requested = Some(scopes.clone());
        }
        if refusals.is_empty() {
            Ok(filled)
        } else {
            Err(refusals)
        }
    }

    /// Whether the step may make the call: within what is requested, granted and allowed.
    pub fn allows(&self, call: &dyn Call) -> Result<(), Refusal> {
        let capability = call.capability();
        let refused = || {
            Refusal::missing(
                capability,
                format!(
                    "`{capability}` of this step does not cover: {}",
                    call.describe()
                ),
                None,
            )
        };
        let grant = self.get(capability).ok_or_else(refused)?;
        let within = |scopes: &[Scope]| scopes.iter().any(|scope| scope.contains(call));
        if !within(&grant.granted) || !grant.requested.as_deref().is_none_or(within) {
            return Err(refused());
        }
        for ceiling in self.ceilings.iter().filter(|ceiling| !ceiling.audit) {
            ceiling.allows(call)?;
        }
        Ok(())
    }

    /// Whether the step may make this object: the call itself, and for a pod every field of it.
    /// `own_secrets` are the names of Secrets that the host makes for this very pod.
    pub fn admits(
        &self,
        call: &kubernetes::Request<'_>,
        object: &Value,
        own_secrets: &[&str],
    ) -> Result<(), Refusal> {
        self.allows(call)?;
        let template = ["/spec/template", "/spec/jobTemplate"]
            .iter()
            .find(|at| object.pointer(at).is_some());
        if let Some(at) = template {
            let message = format!(
                "{} has a pod template at {at}; only pods themselves can be made",
                call.resource
            );
            return Err(Refusal::missing(Capability::Kubernetes, message, None));
        }
        if call.resource != "pods" {
            return Ok(());
        }
        let grant = self.get(Capability::Kubernetes);
        let grant = grant.ok_or_else(|| {
            Refusal::missing(Capability::Kubernetes, "no cluster is granted", None)
        })?;
        let mut layers: Vec<(&[Scope], Option<&Ceiling>)> = vec![(&grant.granted, None)];
        layers.extend(grant.requested.as_deref().map(|scopes| (scopes, None)));
        for (scopes, _) in layers.drain(..) {
            admit(scopes.iter(), call, object, own_secrets).map_err(|refusal| {
                let yaml = refusal.missing.as_ref().map(|(key, value)| {
                    format!(
                        "grants:\n  kubernetes: [{{ …, {key}: [{}] }}]",
                        crate::scope::quote(value)
                    )
                });
                Refusal::missing(
                    Capability::Kubernetes,
                    format!(
                        "the pod is refused at {}: {}",
                        refusal.field, refusal.message
                    ),
                    yaml,
                )
            })?;
        }
        let binding: Vec<&Ceiling> = self.ceilings.iter().filter(|c| !c.audit).collect();
        if binding.is_empty() {
            // Without a policy nobody has named a dangerous field.
            let bare: Vec<Scope> = grant
                .scopes()
                .iter()
                .map(Scope::without_dangerous)
                .collect();
            admit(bare.iter(), call, object, own_secrets).map_err(|refusal| {
                Refusal::missing(
                    Capability::Kubernetes,
                    format!(
                        "the pod is refused at {}: {}",
                        refusal.field, refusal.message
                    ),
                    None,
                )
            })?;
        }
        for ceiling in binding {
            admit(
                ceiling.scopes(Capability::Kubernetes),
                call,
                object,
                own_secrets,
            )
            .map_err(|refusal| {
                let line = ceiling.nearest_line(Capability::Kubernetes, &[]);
                Refusal::policy(
                    Capability::Kubernetes,
                    &format!(
                        "the pod is refused at {}, {}",
                        refusal.field, refusal.message
                    ),
                    &ceiling.file,
                    line,
                )
            })?;
        }
        Ok(())
    }
}

/// Whether one of the scopes that allow the call admits the pod; the last one's refusal otherwise.
fn admit<'a>(
    scopes: impl Iterator<Item = &'a Scope>,
    call: &kubernetes::Request<'_>,
    pod: &Value,
    own_secrets: &[&str],
) -> Result<(), crate::pod::PodRefusal> {
    let mut last = crate::pod::PodRefusal {
        field: "metadata.namespace".to_owned(),
        message: "no scope is for this namespace".to_owned(),
        missing: None,
    };
    for scope in scopes.filter(|scope| scope.contains(call)) {
        match scope.admits_pod(pod, own_secrets) {
            Ok(()) => return Ok(()),
            Err(refusal) => last = refusal,
        }
    }
    Err(last)
}

impl Serialize for StepGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({
            "capability": self.capability.as_str(),
            "source": self.source,
            "granted": grants::to_json(&self.granted),
            "requested": self.requested.as_deref().map(grants::to_json),
        })
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StepGrant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written {
            capability: String,
            source: GrantSource,
            granted: Value,
            requested: Option<Value>,
        }
        let written = Written::deserialize(deserializer)?;
        let capability = Capability::from_name(&written.capability).ok_or_else(|| {
            serde::de::Error::custom(format!("unknown capability {}", written.capability))
        })?;
        let read = |value: &Value| {
            grants::scopes(capability, value, Reading::Ceiling)
                .map_err(|problems| serde::de::Error::custom(problems[0].to_string()))
        };
        Ok(Self {
            capability,
            source: written.source,
            granted: read(&written.granted)?,
            requested: written.requested.as_ref().map(read).transpose()?,
        })
    }
}
