//! Reading a scope.

use serde_json::Value;

use super::Scope;
use crate::Capability;
use crate::capability::Scoped;
use crate::field::{Absent, Limit, Reading, ScopeError, nearest};
use crate::limits::Limits;

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
                "a scope of `{capability}` must be a map with {}",
                names(capability)
            ))]);
        };
        let mut problems = Vec::new();
        let mut limits = Limits::default();
        for key in map.keys() {
            if !fields.iter().any(|field| field.name == key) {
                let problem = ScopeError::new(format!(
                    "`{capability}` has no key `{key}`; its keys are {}",
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
                        "`{}` is missing: a scope of `{capability}` must have it",
                        field.name
                    ))),
                    (Absent::Nothing, Reading::Grant) | (Absent::Never, _) => {
                        limits.set(field.name, Limit::nothing());
                    }
                    (Absent::Only(value), _) => match field.read(&Value::from(value)) {
                        Ok(limit) => limits.set(field.name, limit),
                        Err(problem) => problems.push(problem.within(field.name)),
                    },
                    _ => {}
                },
                Some(value) => match field.read(value) {
                    // `*` among the words means that the key is not limited.
                    Ok(limit) if field.is_every(&limit) => {}
                    Ok(limit) => {
                        limits.set(field.name, limit);
                    }
                    Err(problem) => problems.push(problem.within(field.name)),
                },
            }
        }
        if let Some(choice) = capability.needs_one_of()
            && reading == Reading::Grant
            && !choice.iter().any(|name| limits.get(name).is_some())
        {
            problems.push(ScopeError::new(format!(
                "a scope of `{capability}` must have `{}`",
                choice.join("` or `")
            )));
        }
        if problems.is_empty() {
            Ok(Self { capability, limits })
        } else {
            Err(problems)
        }
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
