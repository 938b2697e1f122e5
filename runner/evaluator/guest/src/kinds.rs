//! The kinds of an expression's results and comparisons, as far as its text alone determines them.

use cel::common::ast::operators::{CONDITIONAL, IN, LOGICAL_AND, LOGICAL_NOT, LOGICAL_OR};
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};
use serde_json::{Number, Value};
use sidestep_evaluator::Kind;

/// Returns the kind of an expression's result, or `None` if it depends on the values it reads.
pub(crate) fn kind(tree: &IdedExpr) -> Option<Kind> {
    match &tree.expr {
        Expr::Literal(LiteralValue::Bytes(_)) => None,
        Expr::Literal(_) => literal(tree).as_ref().map(Kind::of),
        Expr::List(_) => Some(Kind::List),
        Expr::Map(_) => Some(Kind::Map),
        Expr::Select(select) if select.test => Some(Kind::Boolean),
        Expr::Call(call) => of_call(call),
        _ => None,
    }
}

fn of_call(call: &CallExpr) -> Option<Kind> {
    match call.func_name.as_str() {
        LOGICAL_AND | LOGICAL_OR | LOGICAL_NOT | IN => Some(Kind::Boolean),
        "_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_" => Some(Kind::Boolean),
        "contains" | "startsWith" | "endsWith" | "matches" | "bool" => Some(Kind::Boolean),
        "success" | "failure" | "cancelled" | "always" => Some(Kind::Boolean),
        "size" | "int" | "uint" | "double" => Some(Kind::Number),
        "string" => Some(Kind::Text),
        CONDITIONAL => match call.args.as_slice() {
            [_, yes, no] => kind(yes).filter(|yes| kind(no) == Some(*yes)),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the value of a literal.
pub(crate) fn literal(tree: &IdedExpr) -> Option<Value> {
    let Expr::Literal(literal) = &tree.expr else {
        return None;
    };
    Some(match literal {
        LiteralValue::Boolean(value) => (*value.inner()).into(),
        LiteralValue::Double(value) => Number::from_f64(*value.inner())?.into(),
        LiteralValue::Int(value) => (*value.inner()).into(),
        LiteralValue::UInt(value) => (*value.inner()).into(),
        LiteralValue::String(value) => value.inner().into(),
        LiteralValue::Null => Value::Null,
        LiteralValue::Bytes(_) => return None,
    })
}

/// Returns the names of an expression that only selects fields, from the first to the last; `None`
/// for any other expression.
pub(crate) fn names(tree: &IdedExpr) -> Option<Vec<&str>> {
    match &tree.expr {
        Expr::Ident(name) => Some(vec![name.trim_start_matches('.')]),
        Expr::Select(select) if !select.test => {
            let mut names = names(&select.operand)?;
            names.push(&select.field);
            Some(names)
        }
        Expr::Call(call) if call.func_name == "_[_]" && call.target.is_none() => {
            let [operand, index] = call.args.as_slice() else {
                return None;
            };
            let Expr::Literal(LiteralValue::String(key)) = &index.expr else {
                return None;
            };
            let mut names = names(operand)?;
            names.push(key.inner());
            Some(names)
        }
        _ => None,
    }
}

/// Returns the operands of a call that must be booleans.
pub(crate) fn conditions(call: &CallExpr) -> &[IdedExpr] {
    match call.func_name.as_str() {
        LOGICAL_AND | LOGICAL_OR | LOGICAL_NOT => &call.args,
        CONDITIONAL => call.args.get(..1).unwrap_or_default(),
        _ => &[],
    }
}

/// Returns the operand and the literals of a comparison, or `None` for any other call.
pub(crate) fn comparison(call: &CallExpr) -> Option<(&IdedExpr, Vec<Value>)> {
    let [left, right] = call.args.as_slice() else {
        return None;
    };
    match (call.func_name.as_str(), &right.expr) {
        ("_==_" | "_!=_", _) => literal(right)
            .map(|value| (left, vec![value]))
            .or_else(|| literal(left).map(|value| (right, vec![value]))),
        (IN, Expr::List(list)) => Some((left, list.elements.iter().filter_map(literal).collect())),
        _ => None,
    }
}
