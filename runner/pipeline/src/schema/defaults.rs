//! Fills in the defaults of a schema.

use serde_json::Value;
use sidestep_evaluator::{Budget, Evaluator};

use super::{MAX_CANDIDATES, MAX_DEPTH, candidates, items, property, property_names};
use crate::expression::Unanswered;

/// The maximum number of bytes of JSON that defaults may add to one value.
const MAX_ADDED: usize = 1 << 20;

/// Fills in the defaults of absent properties at every depth. Its steps count towards the run's
/// budget.
pub(crate) fn fill_defaults(
    evaluator: &dyn Evaluator,
    schema: &Value,
    value: &mut Value,
) -> Result<(), Unanswered> {
    let top = candidates(schema, schema);
    let mut filling = Filling {
        evaluator,
        root: schema,
        added: 0,
    };
    filling.fill(&top, value, MAX_DEPTH)
}

struct Filling<'a> {
    evaluator: &'a dyn Evaluator,
    root: &'a Value,
    /// The number of bytes of the defaults that were filled in.
    added: usize,
}

impl<'a> Filling<'a> {
    fn fill(
        &mut self,
        schemas: &[&'a Value],
        value: &mut Value,
        depth: usize,
    ) -> Result<(), Unanswered> {
        if depth == 0 {
            return Ok(());
        }
        match value {
            Value::Object(map) => {
                let names = property_names(schemas);
                self.evaluator
                    .charge((names.len() * schemas.len()) as u64)?;
                for name in names {
                    let of = property(self.root, schemas, name);
                    match map.get_mut(name) {
                        Some(value) => self.fill(&of, value, depth - 1)?,
                        None => {
                            let mut defaults = of.iter().filter_map(|one| one.get("default"));
                            if let Some(default) = defaults.next() {
                                self.add(default)?;
                                map.insert(name.to_owned(), default.clone());
                            }
                        }
                    }
                }
            }
            Value::Array(list) => {
                let of = items(self.root, schemas);
                self.evaluator.charge(MAX_CANDIDATES as u64)?;
                for item in list {
                    self.fill(&of, item, depth - 1)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Counts a default before it is copied, because many properties may share a large one.
    fn add(&mut self, default: &Value) -> Result<(), Unanswered> {
        self.added = self.added.saturating_add(weight(default));
        if self.added > MAX_ADDED {
            return Err(Unanswered::from(Budget::Value(MAX_ADDED)).about("the defaults"));
        }
        Ok(())
    }
}

/// Estimates the size of a value, in bytes.
fn weight(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(weight).sum(),
            Value::Object(map) => map.iter().map(|(key, one)| key.len() + weight(one)).sum(),
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sidestep_evaluator::Absent;

    use super::*;

    #[test]
    fn defaults_fill_what_is_absent_at_every_depth() {
        let schema = json!({
            "$defs": { "one": { "properties": { "size": { "default": 3 } } } },
            "properties": {
                "name": { "default": "x" },
                "list": { "items": { "$ref": "#/$defs/one" } },
            },
        });
        let mut value = json!({ "list": [{}, { "size": 4 }] });
        fill_defaults(&Absent, &schema, &mut value).expect("small");
        let filled = json!({ "name": "x", "list": [{ "size": 3 }, { "size": 4 }] });
        assert_eq!(value, filled);
    }

    #[test]
    fn a_large_default_of_many_properties_is_refused_before_it_is_copied() {
        let many = (0..2000).map(|n| (format!("p{n}"), json!({ "$ref": "#/$defs/large" })));
        let schema = json!({
            "$defs": { "large": { "default": "x".repeat(100_000) } },
            "properties": many.collect::<serde_json::Map<_, _>>(),
        });
        let mut value = json!({});
        let refused = fill_defaults(&Absent, &schema, &mut value).expect_err("200 MB");
        assert_eq!(
            refused.to_string(),
            "the defaults: this yields more than 1 MiB"
        );
        assert!(value.to_string().len() < 2 << 20);
    }

    #[test]
    fn alternatives_of_alternatives_do_not_multiply() {
        let wide = |of: &str| json!({ "allOf": vec![json!({ "$ref": of }); 40] });
        let schema = json!({
            "$ref": "#/$defs/a",
            "$defs": {
                "a": wide("#/$defs/b"), "b": wide("#/$defs/c"), "c": wide("#/$defs/d"),
                "d": { "properties": { "x": { "$ref": "#/$defs/a" } } },
            },
        });
        let mut schemas = candidates(&schema, &schema);
        for _ in 0..20 {
            assert!(schemas.len() <= MAX_CANDIDATES, "{}", schemas.len());
            schemas = property(&schema, &schemas, "x");
        }
    }
}
