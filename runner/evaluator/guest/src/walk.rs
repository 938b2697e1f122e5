//! Finds the references and calls of an expression.

use std::sync::Arc;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use sidestep_evaluator::{Analysis, Comparison, Reference};

use crate::kinds;
use crate::limits::{MAX_ADDITIONS, MAX_COMPREHENSION_DEPTH, MAX_COMPREHENSIONS};

/// The results of a walk over an expression's tree.
#[derive(Default)]
pub(crate) struct Walk {
    pub(crate) analysis: Analysis,
    /// The number of comprehensions.
    pub(crate) comprehensions: usize,
    /// The number of `+` that the author wrote.
    additions: usize,
    /// The variables of the enclosing comprehensions, which need no value from outside.
    bound: Vec<Arc<str>>,
}

impl Walk {
    /// Walks over the whole tree; an error is one sentence about what is wrong.
    pub(crate) fn over(tree: &IdedExpr) -> Result<Self, String> {
        let mut walk = Self::default();
        walk.visit(tree, &mut Vec::new(), false, 0)?;
        walk.analysis.yields = kinds::kind(tree);
        walk.within_limits()?;
        Ok(walk)
    }

    fn within_limits(&self) -> Result<(), String> {
        if self.comprehensions > MAX_COMPREHENSIONS {
            return Err(format!(
                "an expression can call map, filter, all and exists at most {MAX_COMPREHENSIONS} \
                 times"
            ));
        }
        if self.comprehensions > 0 && self.additions > MAX_ADDITIONS {
            return Err(format!(
                "an expression with map, filter, all or exists can have at most {MAX_ADDITIONS} `+`"
            ));
        }
        Ok(())
    }

    /// Records the facts that a call shows about its operands.
    fn relate(&mut self, call: &CallExpr) {
        for operand in kinds::conditions(call) {
            self.analysis.conditions.extend(self.named(operand));
        }
        if let Some((operand, literals)) = kinds::comparison(call)
            && let Some(reference) = self.named(operand)
        {
            let comparisons = literals.into_iter().map(|literal| Comparison {
                reference: reference.clone(),
                literal,
            });
            self.analysis.comparisons.extend(comparisons);
        }
    }

    /// Returns the reference of an expression that is only a name, unless a comprehension binds it.
    fn named(&self, tree: &IdedExpr) -> Option<Reference> {
        let names = kinds::names(tree)?;
        let (root, path) = names.split_first()?;
        let bound = self.bound.iter().any(|bound| **bound == **root);
        (!bound).then(|| Reference {
            root: (*root).to_owned(),
            path: path.iter().map(|&name| name.to_owned()).collect(),
            guarded: false,
        })
    }

    /// `path` holds the names that were selected from this expression, innermost first; `guarded`
    /// is set within `default(…)` or `has(…)`.
    fn visit(
        &mut self,
        tree: &IdedExpr,
        path: &mut Vec<String>,
        guarded: bool,
        depth: usize,
    ) -> Result<(), String> {
        match &tree.expr {
            Expr::Ident(name) => {
                if !self.bound.iter().any(|bound| **bound == **name) {
                    self.analysis.references.push(Reference {
                        root: name.trim_start_matches('.').to_owned(),
                        path: path.iter().rev().cloned().collect(),
                        guarded,
                    });
                }
                Ok(())
            }
            Expr::Select(select) => {
                path.push(select.field.clone());
                self.visit(&select.operand, path, guarded || select.test, depth)?;
                path.pop();
                Ok(())
            }
            Expr::Call(call) if call.func_name == "_[_]" && call.target.is_none() => {
                let [operand, index] = call.args.as_slice() else {
                    return Ok(());
                };
                if let Expr::Literal(LiteralValue::String(key)) = &index.expr {
                    path.push(key.inner().to_owned());
                    self.visit(operand, path, guarded, depth)?;
                    path.pop();
                    return Ok(());
                }
                self.visit(operand, &mut Vec::new(), guarded, depth)?;
                self.visit(index, &mut Vec::new(), guarded, depth)
            }
            Expr::Call(call) => {
                self.additions += usize::from(call.func_name == "_+_");
                self.analysis.functions.push(call.func_name.clone());
                self.relate(call);
                let guards = call.func_name == "default";
                if let Some(target) = &call.target {
                    self.visit(target, &mut Vec::new(), guarded, depth)?;
                }
                for (index, arg) in call.args.iter().enumerate() {
                    let guarded = guarded || (guards && index == 0);
                    self.visit(arg, &mut Vec::new(), guarded, depth)?;
                }
                Ok(())
            }
            Expr::Comprehension(comprehension) => {
                self.comprehensions += 1;
                self.visit(&comprehension.iter_range, &mut Vec::new(), guarded, depth)?;
                let depth = depth + 1;
                if depth > MAX_COMPREHENSION_DEPTH {
                    return Err(format!(
                        "map, filter, all and exists can nest at most {MAX_COMPREHENSION_DEPTH} \
                         deep"
                    ));
                }
                self.visit(&comprehension.accu_init, &mut Vec::new(), guarded, depth)?;
                let bound = self.bound.len();
                self.bound.push(comprehension.iter_var.as_str().into());
                self.bound.push(comprehension.accu_var.as_str().into());
                self.bound
                    .extend(comprehension.iter_var2.as_deref().map(Into::into));
                // The macro adds its own `+`, which does not count.
                let before = self.additions;
                self.visit(&comprehension.loop_cond, &mut Vec::new(), guarded, depth)?;
                self.visit(&comprehension.loop_step, &mut Vec::new(), guarded, depth)?;
                self.additions = self
                    .additions
                    .saturating_sub(usize::from(self.additions > before));
                self.visit(&comprehension.result, &mut Vec::new(), guarded, depth)?;
                self.bound.truncate(bound);
                Ok(())
            }
            Expr::List(list) => list
                .elements
                .iter()
                .try_for_each(|item| self.visit(item, &mut Vec::new(), guarded, depth)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.visit(&entry.key, &mut Vec::new(), guarded, depth)?;
                    self.visit(&entry.value, &mut Vec::new(), guarded, depth)
                }
                EntryExpr::StructField(field) => {
                    self.visit(&field.value, &mut Vec::new(), guarded, depth)
                }
            }),
            Expr::Struct(value) => Err(format!("`{}` is not a known type", value.type_name)),
            Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }
}
