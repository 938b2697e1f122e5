use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use sidestep_evaluator::Evaluator;
use sidestep_policy::nearest;

use crate::expression;
use crate::plan::Plan;

/// A step that a plan does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownStep {
    /// The requested name.
    pub asked: String,
    /// The most similar known step.
    pub nearest: Option<String>,
    /// All steps of the plan.
    pub known: Vec<String>,
}

impl Plan {
    /// Returns the part of the plan with these steps and the steps that they need. A name is the id
    /// of a step or of one instance. Steps of `finally` are left out unless they are named, and so
    /// are the pipeline's outputs that read a step that is left out.
    pub fn only(
        mut self,
        evaluator: &dyn Evaluator,
        steps: &[String],
    ) -> Result<Self, UnknownStep> {
        let mut kept = HashSet::new();
        let needs: HashMap<&str, &[String]> = self
            .instances
            .iter()
            .map(|instance| (instance.id.as_str(), instance.needs.as_slice()))
            .collect();
        let mut open = VecDeque::new();
        for asked in steps {
            let named = self.instances.iter();
            let named = named.filter(|instance| instance.id == *asked || instance.step == *asked);
            let before = open.len();
            open.extend(named.map(|instance| instance.id.clone()));
            if open.len() == before {
                return Err(self.unknown(asked));
            }
        }
        while let Some(id) = open.pop_front() {
            if let Some(needs) = needs.get(id.as_str())
                && kept.insert(id)
            {
                open.extend(needs.iter().cloned());
            }
        }
        self.instances
            .retain(|instance| kept.contains(&instance.id));
        let steps: BTreeSet<&str> = self.instances.iter().map(|i| i.step.as_str()).collect();
        let left_out = |text: &str| {
            let found = expression::analyse(evaluator, text).unwrap_or_default();
            found.references.iter().any(|reference| {
                reference.root == "steps"
                    && reference
                        .path
                        .first()
                        .is_none_or(|step| !steps.contains(step.as_str()))
            })
        };
        self.outputs
            .retain(|_, template| !template.expressions().into_iter().any(left_out));
        self.sees.retain(|step, _| steps.contains(step.as_str()));
        for seen in self.sees.values_mut() {
            if let crate::plan::Seen::All(ids) = seen {
                ids.retain(|id| kept.contains(id));
            }
        }
        Ok(self)
    }

    fn unknown(&self, asked: &str) -> UnknownStep {
        let mut known: Vec<String> = self.instances.iter().map(|i| i.step.clone()).collect();
        known.dedup();
        UnknownStep {
            asked: asked.to_owned(),
            nearest: nearest(asked, known.iter().map(String::as_str)).map(str::to_owned),
            known,
        }
    }
}
