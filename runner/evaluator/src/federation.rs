//! The decisions of a workload identity provider about a token: its attribute mapping and its
//! condition, over the token's claims.
//!
//! Source: <https://cloud.google.com/iam/docs/workload-identity-federation>.

mod conjuncts;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Answer, Evaluator, Question, Truth};

pub use conjuncts::conjuncts;

/// The attributes and the condition of a provider, evaluated for one token.
#[derive(Debug, Clone, PartialEq)]
pub struct Federated {
    /// The mapped attributes by name, such as `google.subject` and `attribute.repository`.
    pub attributes: BTreeMap<String, Value>,
    /// The attributes without a value, and the reason.
    pub missing: BTreeMap<String, String>,
    /// The operands of the condition's outermost `&&`; empty without a condition.
    pub condition: Vec<Part>,
}

/// A part of a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The part, in CEL.
    pub text: String,
    /// Whether it holds.
    pub truth: Truth,
    /// The claims and attributes that it reads.
    pub read: Vec<Claim>,
}

/// A claim or an attribute that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The name, such as `assertion.repository`.
    pub name: String,
    /// The value; `None` if the token has none.
    pub value: Option<String>,
}

impl Federated {
    /// Returns whether the condition holds.
    pub fn holds(&self) -> bool {
        self.condition.iter().all(|part| part.truth == Truth::True)
    }

    /// Returns an attribute that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str()
    }
}

/// Evaluates a provider's mapping and condition for the claims of a token.
pub fn federate<'m>(
    evaluator: &dyn Evaluator,
    claims: &Value,
    mapping: impl IntoIterator<Item = (&'m str, &'m str)>,
    condition: Option<&str>,
) -> Federated {
    let mut variables = BTreeMap::from([("assertion", claims.clone())]);
    let (mut attributes, mut missing) = (BTreeMap::new(), BTreeMap::new());
    for (name, text) in mapping {
        match value(evaluator, text, &variables).and_then(mapped) {
            Ok(value) => drop(attributes.insert(name.to_owned(), value)),
            Err(why) => drop(missing.insert(name.to_owned(), why)),
        }
    }
    for root in ["google", "attribute"] {
        let below = attributes.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(root)?.strip_prefix('.')?;
            Some((name.to_owned(), value.clone()))
        });
        let below: Map<String, Value> = below.collect();
        variables.insert(root, Value::Object(below));
    }
    let parts = condition.map(conjuncts).unwrap_or_default();
    Federated {
        condition: parts
            .into_iter()
            .map(|text| part(evaluator, text, &variables))
            .collect(),
        attributes,
        missing,
    }
}

type Variables = BTreeMap<&'static str, Value>;

fn part(evaluator: &dyn Evaluator, text: &str, variables: &Variables) -> Part {
    let truth = match value(evaluator, text, variables) {
        Ok(Value::Bool(true)) => Truth::True,
        Ok(Value::Bool(false)) => Truth::False,
        Ok(_) => Truth::Unknown("it does not yield true or false".to_owned()),
        Err(why) => Truth::Unknown(why),
    };
    Part {
        text: text.to_owned(),
        truth,
        read: read(evaluator, text, variables),
    }
}

/// Returns the claims and attributes that an expression reads.
fn read(evaluator: &dyn Evaluator, text: &str, variables: &Variables) -> Vec<Claim> {
    let Ok(Answer::Analysis(analysis)) = evaluator.ask(&Question::Analyse {
        text: text.into(),
        tree: false,
    }) else {
        return Vec::new();
    };
    let known = |root: &str| variables.get(root);
    let read = analysis.references.iter().filter_map(|reference| {
        let mut value = Some(known(&reference.root)?);
        for name in &reference.path {
            value = value.and_then(|value| value.get(name));
        }
        Some(Claim {
            name: reference.text(),
            value: value.map(shown),
        })
    });
    let mut read: Vec<Claim> = read.collect();
    read.dedup();
    read
}

/// Returns a claim's value for people: a text as it is, everything else as JSON.
fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn value(evaluator: &dyn Evaluator, text: &str, variables: &Variables) -> Result<Value, String> {
    let variables = variables
        .iter()
        .map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(value)));
    let question = Question::Claims {
        text: text.into(),
        variables: variables.collect(),
    };
    match evaluator.ask(&question) {
        Ok(Answer::Value(value)) => Ok(value),
        Ok(Answer::Wrong(why)) => Err(why),
        Ok(_) => Err("the evaluator answered another question".to_owned()),
        Err(stopped) => Err(stopped.to_string()),
    }
}

/// Returns a value that an attribute can have: a text, or for `google.groups` a list of texts.
fn mapped(value: Value) -> Result<Value, String> {
    let is_text = match &value {
        Value::String(_) => true,
        Value::Array(items) => items.iter().all(Value::is_string),
        _ => false,
    };
    if is_text {
        Ok(value)
    } else {
        Err("its value is not a string".to_owned())
    }
}
