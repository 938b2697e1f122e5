//! A workload identity provider's decision about a token, evaluated from the token's claims.

use std::sync::Arc;

use serde_json::Value;
use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_evaluator::{Evaluator, Federated, Part, federate};
use sidestep_events::{Class, Failure, Owner, codes};
use sidestep_gate::{Held, debug_length};

use super::conditions;

/// The maximum length of the claims, in bytes.
const LONGEST: usize = 64 * 1024;

/// The evaluator of the run, as a service of the gate.
#[derive(Debug)]
pub struct Evaluates(pub Arc<dyn Evaluator>);

/// A decision, held for the plugin.
#[derive(Debug)]
pub(super) struct Decision(pub(super) Federated);

impl Held for Decision {
    fn held(&self) -> u64 {
        debug_length(self)
    }
}

/// Evaluates a provider's mapping and condition.
///
/// # Errors
/// When the claims are not a JSON object.
pub(super) async fn decide(
    evaluates: Arc<Evaluates>,
    claims: String,
    mappings: Vec<(String, String)>,
    condition: Option<String>,
) -> Result<Decision, Failure> {
    if claims.len() > LONGEST {
        return Err(not_claims("they are too long"));
    }
    let claims: Value = serde_json::from_str(&claims)
        .map_err(|error| not_claims(&format!("they are not JSON: {error}")))?;
    if !claims.is_object() {
        return Err(not_claims("they are not a JSON object"));
    }
    // Expressions of strangers may take as long as their budget.
    let work = move || {
        let mappings = mappings
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        Decision(federate(
            &*evaluates.0,
            &claims,
            mappings,
            condition.as_deref(),
        ))
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Failure::bug(format!("claims can't be evaluated: {error}")))
}

fn not_claims(why: &str) -> Failure {
    Failure::new(
        Class::InvalidInput,
        codes::identity::SUBJECT,
        Owner::Author,
        format!("cannot evaluate the claims of a token: {why}"),
    )
}

/// Converts a decision to the plugin's form.
pub(super) fn told(Decision(found): Decision) -> wit::Federation {
    let with = found
        .attributes
        .into_iter()
        .map(|(name, value)| wit::Attribute {
            name,
            value: Some(
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            ),
            why: None,
        });
    let without = found.missing.into_iter().map(|(name, why)| wit::Attribute {
        name,
        value: None,
        why: Some(why),
    });
    wit::Federation {
        attributes: with.chain(without).collect(),
        condition: found.condition.into_iter().map(part).collect(),
    }
}

fn part(part: Part) -> wit::ConditionPart {
    let (truth, why) = conditions::truth(part.truth);
    let claim = |claim: sidestep_evaluator::Claim| wit::Claim {
        name: claim.name,
        value: claim.value,
    };
    wit::ConditionPart {
        text: part.text,
        truth,
        why,
        read: part.read.into_iter().map(claim).collect(),
    }
}
