//! Whether conditions of IAM policies hold for a request.

use std::sync::Arc;

use jiff::Timestamp;
use sidestep_bindings::sidestep::identity::prove as wit;
use sidestep_evaluator::{Answer, Attributes, Evaluator, Question, Stopped, Truth};
use sidestep_events::Failure;
use sidestep_gate::{Held, debug_length};

use super::federation::Evaluates;

/// Decisions, held for the plugin.
#[derive(Debug)]
pub(super) struct Decisions(pub(super) Vec<Truth>);

impl Held for Decisions {
    fn held(&self) -> u64 {
        debug_length(self)
    }
}

/// Decides conditions, in their order.
///
/// # Errors
/// When the evaluator does not work.
pub(super) async fn decide(
    evaluates: Arc<Evaluates>,
    conditions: Vec<String>,
    attributes: wit::Attributes,
) -> Result<Decisions, Failure> {
    // Expressions of strangers may take as long as their budget.
    let work = move || {
        let each = conditions
            .iter()
            .map(|condition| one(&*evaluates.0, condition, &attributes));
        each.collect::<Result<_, _>>().map(Decisions)
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Failure::bug(format!("conditions can't be decided: {error}")))?
}

fn one(
    evaluator: &dyn Evaluator,
    condition: &str,
    attributes: &wit::Attributes,
) -> Result<Truth, Failure> {
    let time = i64::try_from(attributes.time).unwrap_or(i64::MAX);
    let time = Timestamp::from_millisecond(time).unwrap_or(Timestamp::MAX);
    let question = Question::Condition {
        text: condition.into(),
        attributes: Attributes {
            request_time: time.to_string().into(),
            resource_name: attributes.name.as_deref().map(Into::into),
            resource_service: attributes.service.as_deref().map(Into::into),
            resource_type: attributes.kind.as_deref().map(Into::into),
        },
    };
    match evaluator.ask(&question) {
        Ok(Answer::Truth(truth)) => Ok(truth),
        Ok(Answer::Wrong(why)) => Ok(Truth::Unknown(why)),
        Ok(_) => Err(Failure::bug("the evaluator answered another question")),
        Err(Stopped::Broken(why)) => Err(Failure::bug(why)),
        // It took more than its budget.
        Err(stopped) => Ok(Truth::Unknown(stopped.to_string())),
    }
}

/// Converts decisions to the plugin's form.
pub(super) fn told(Decisions(found): Decisions) -> Vec<wit::Decision> {
    let each = found.into_iter().map(truth);
    each.map(|(truth, why)| wit::Decision { truth, why })
        .collect()
}

/// Converts a truth to the plugin's form, with the reason why it is unknown.
pub(super) fn truth(truth: Truth) -> (wit::Truth, Option<String>) {
    match truth {
        Truth::True => (wit::Truth::Yes, None),
        Truth::False => (wit::Truth::No, None),
        Truth::Unknown(why) => (wit::Truth::Unknown, Some(why)),
    }
}
