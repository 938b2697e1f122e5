use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::capability::Capability;
use crate::field::{Absent, Holds, Limit, Reading, ScopeError, nearest};
use crate::pattern::Pattern;

/// What one entry of a capability's list allows: for each of the capability's keys the values that
/// a call may have.
#[derive(Clone, PartialEq, Eq)]
pub struct Scope {
    capability: Capability,
    limits: BTreeMap<&'static str, Limit>,
}

/// A call that a plugin makes, in the words of its capability's scope.
pub trait Call {
    /// The capability that it belongs to.
    fn capability(&self) -> Capability;

    /// Each key that this call has a value for. A key that is not named is not looked at.
    fn facts(&self) -> Vec<(&'static str, &str)>;

    /// The call in words for people: `create gs://ci-contexts/api/x`.
    fn describe(&self) -> String;
}

/// The most single points that a scope is taken apart into when it is compared.
const MAX_POINTS: usize = 4096;

impl Scope {
    /// Reads one scope.
    pub fn parse(
        capability: Capability,
        value: &Value,
        reading: Reading,
    ) -> Result<Self, Vec<ScopeError>> {
        let fields = capability.fields();
        let Some(map) = capability.map_of(value) else {
            return Err(vec![ScopeError::new(format!(
                "a scope of `{capability}` is a map with {}",
                names(capability)
            ))]);
        };
        let mut problems = Vec::new();
        let mut limits = BTreeMap::new();
        for key in map.keys() {
            if !fields.iter().any(|field| field.name == key) {
                let problem = ScopeError::new(format!(
                    "`{capability}` has no `{key}`; it has {}",
                    names(capability)
                ))
                .within(key.clone());
                problems.push(match nearest(key, fields.iter().map(|f| f.name)) {
                    Some(known) => problem.help(format!("did you mean `{known}`?")),
                    None => problem,
                });
            }
        }
        for field in fields {
            match map.get(field.name) {
                Some(Value::Null) | None => match (field.absent, reading) {
                    (Absent::Required, Reading::Grant) => problems.push(ScopeError::new(format!(
                        "`{}` is missing: a scope of `{capability}` says which",
                        field.name
                    ))),
                    (Absent::Nothing, Reading::Grant) | (Absent::Never, _) => {
                        limits.insert(field.name, Limit::nothing());
                    }
                    _ => {}
                },
                Some(value) => match field.read(value) {
                    // `*` among the words is no limit.
                    Ok(limit) if field.is_every(&limit) => {}
                    Ok(limit) => {
                        limits.insert(field.name, limit);
                    }
                    Err(problem) => problems.push(problem.within(field.name)),
                },
            }
        }
        if let Some(choice) = capability.needs_one_of()
            && reading == Reading::Grant
            && !choice.iter().any(|name| limits.contains_key(name))
        {
            problems.push(ScopeError::new(format!(
                "a scope of `{capability}` names `{}`",
                choice.join("` or `")
            )));
        }
        if problems.is_empty() {
            Ok(Self { capability, limits })
        } else {
            Err(problems)
        }
    }

    /// The capability that it is a scope of.
    pub fn capability(&self) -> Capability {
        self.capability
    }

    /// What a key allows, pattern by pattern; none if the key is not limited.
    pub fn patterns(&self, key: &str) -> Option<&[Pattern]> {
        match self.limits.get(key)? {
            Limit::Only(patterns) => Some(patterns),
            Limit::AtMost(_) => Some(&[]),
        }
    }

    /// The values of a key that are named outright, without a star.
    pub fn exactly(&self, key: &str) -> Vec<&str> {
        let patterns = self.patterns(key).unwrap_or_default().iter();
        let exact = patterns.filter(|pattern| pattern.is_exact());
        exact.map(Pattern::as_str).collect()
    }

    /// Whether the call lies within.
    pub fn contains(&self, call: &dyn Call) -> bool {
        call.capability() == self.capability
            && call
                .facts()
                .iter()
                .all(|(key, value)| self.admits(key, value))
    }

    /// Whether a key allows a value.
    pub(crate) fn admits(&self, key: &str, value: &str) -> bool {
        match self.limits.get(key) {
            None => true,
            Some(Limit::Only(patterns)) => patterns.iter().any(|pattern| pattern.matches(value)),
            Some(Limit::AtMost(_)) => false,
        }
    }

    pub(crate) fn limit(&self, key: &str) -> Option<&Limit> {
        self.limits.get(key)
    }

    /// Whether everything that the other allows is allowed here.
    pub fn covers(&self, other: &Self) -> bool {
        self.capability == other.capability
            && self.agreement(other) == self.capability.fields().len()
    }

    /// How many keys of the other lie within this scope's.
    pub(crate) fn agreement(&self, other: &Self) -> usize {
        let fields = self.capability.fields().iter();
        fields
            .filter(|field| {
                let (mine, its) = (self.limits.get(field.name), other.limits.get(field.name));
                match (mine, its) {
                    (None, _) => true,
                    // Amounts are capped where they are used; leaving them out asks for none.
                    (Some(Limit::AtMost(mine)), Some(Limit::AtMost(its))) => its
                        .iter()
                        .all(|(name, amount)| mine.get(name).is_none_or(|cap| amount <= cap)),
                    (Some(Limit::AtMost(_)), None) => true,
                    (Some(_), None) => false,
                    (Some(Limit::Only(mine)), Some(Limit::Only(its))) => its
                        .iter()
                        .all(|its| mine.iter().any(|mine| mine.covers(its))),
                    _ => false,
                }
            })
            .count()
    }

    /// The same scope without any dangerous pod field.
    pub(crate) fn without_dangerous(&self) -> Self {
        let mut scope = self.clone();
        if self.capability == Capability::Kubernetes {
            scope.limits.insert("podFields", Limit::nothing());
        }
        scope
    }

    /// Whether some of the scopes together cover this one, each single value taken by itself.
    pub(crate) fn is_covered_by<'a>(&self, all: impl Iterator<Item = &'a Self> + Clone) -> bool {
        if all.clone().any(|scope| scope.covers(self)) {
            return true;
        }
        self.points().is_some_and(|points| {
            points
                .iter()
                .all(|point| all.clone().any(|scope| scope.covers(point)))
        })
    }

    /// This scope as scopes of one value a key; none when there would be too many.
    fn points(&self) -> Option<Vec<Self>> {
        let mut points = vec![self.clone()];
        for (key, limit) in &self.limits {
            let Limit::Only(patterns) = limit else {
                continue;
            };
            if patterns.len() < 2 {
                continue;
            }
            if points.len() * patterns.len() > MAX_POINTS {
                return None;
            }
            points = points
                .iter()
                .flat_map(|point| {
                    patterns.iter().map(|pattern| {
                        let mut point = point.clone();
                        point.limits.insert(key, Limit::Only(vec![pattern.clone()]));
                        point
                    })
                })
                .collect();
        }
        Some(points)
    }

    /// The scope in a short line for people.
    pub fn explain(&self) -> String {
        self.capability.explain(self)
    }

    /// The values of a key, joined for people; none if the key is not limited.
    pub(crate) fn words(&self, key: &str) -> Option<String> {
        match self.limits.get(key)? {
            Limit::Only(patterns) => Some(join(patterns)),
            Limit::AtMost(amounts) => Some(
                amounts
                    .iter()
                    .map(|(name, amount)| format!("{name} {amount}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
        }
    }

    /// The scope as files write it. Read as a ceiling it is the same scope again.
    pub fn to_json(&self) -> Value {
        let map: Map<String, Value> = self
            .capability
            .fields()
            .iter()
            .filter_map(|field| {
                let limit = self.limits.get(field.name)?;
                Some((field.name.to_owned(), limit.to_json()))
            })
            .collect();
        Value::Object(map)
    }

    /// The scope as YAML on one line, as a grant is written.
    pub fn to_yaml(&self) -> String {
        let entries: Vec<String> = self
            .capability
            .fields()
            .iter()
            .filter_map(|field| {
                let text = match self.limits.get(field.name)? {
                    Limit::Only(patterns) if patterns.is_empty() && field.absent != Absent::Any => {
                        return None;
                    }
                    Limit::Only(patterns) => {
                        let texts: Vec<String> =
                            patterns.iter().map(|p| quote(p.as_str())).collect();
                        match (texts.as_slice(), field.holds) {
                            ([one], Holds::Patterns(_))
                                if !field.name.ends_with('s') && field.name != "read" =>
                            {
                                one.clone()
                            }
                            _ => format!("[{}]", texts.join(", ")),
                        }
                    }
                    Limit::AtMost(amounts) => {
                        let texts: Vec<String> =
                            amounts.iter().map(|(n, a)| format!("{n}: {a}")).collect();
                        format!("{{ {} }}", texts.join(", "))
                    }
                };
                Some(format!("{}: {text}", field.name))
            })
            .collect();
        format!("{{ {} }}", entries.join(", "))
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.capability, self.to_json())
    }
}

fn names(capability: Capability) -> String {
    let names: Vec<String> = capability
        .fields()
        .iter()
        .map(|field| format!("`{}`", field.name))
        .collect();
    names.join(", ")
}

fn join(patterns: &[Pattern]) -> String {
    match patterns {
        [] => "nothing".to_owned(),
        [one] => one.to_string(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(Pattern::as_str).collect();
            format!("{} and {last}", most.join(", "))
        }
    }
}

/// A text as a YAML flow scalar.
pub(crate) fn quote(text: &str) -> String {
    let plain = !text.is_empty()
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-@".contains(c))
        && !matches!(
            text.to_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain {
        text.to_owned()
    } else {
        Value::String(text.to_owned()).to_string()
    }
}
