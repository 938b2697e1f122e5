//! The operators that the evaluator applies, and to which kinds of values.

use super::possible::{Scalars, Type};

/// One overload of a binary operator: the kinds of its operands and of its result.
type Overload = (Scalars, Scalars, Scalars);

const fn same(kind: Scalars) -> Overload {
    (kind, kind, kind)
}

const ADD: &[Overload] = &[
    same(Scalars::INT),
    same(Scalars::UINT),
    same(Scalars::DOUBLE),
    same(Scalars::TEXT),
    same(Scalars::BYTES),
    same(Scalars::DURATION),
    (Scalars::TIMESTAMP, Scalars::DURATION, Scalars::TIMESTAMP),
    (Scalars::DURATION, Scalars::TIMESTAMP, Scalars::TIMESTAMP),
];
const SUBTRACT: &[Overload] = &[
    same(Scalars::INT),
    same(Scalars::UINT),
    same(Scalars::DOUBLE),
    same(Scalars::DURATION),
    (Scalars::TIMESTAMP, Scalars::DURATION, Scalars::TIMESTAMP),
    (Scalars::TIMESTAMP, Scalars::TIMESTAMP, Scalars::DURATION),
];
const MULTIPLY: &[Overload] = &[
    same(Scalars::INT),
    same(Scalars::UINT),
    same(Scalars::DOUBLE),
];
const MODULO: &[Overload] = &[same(Scalars::INT), same(Scalars::UINT)];
const COMPARE: &[Overload] = &[
    (Scalars::NUMBER, Scalars::NUMBER, Scalars::BOOLEAN),
    (Scalars::TEXT, Scalars::TEXT, Scalars::BOOLEAN),
    (Scalars::BYTES, Scalars::BYTES, Scalars::BOOLEAN),
    (Scalars::BOOLEAN, Scalars::BOOLEAN, Scalars::BOOLEAN),
    (Scalars::TIMESTAMP, Scalars::TIMESTAMP, Scalars::BOOLEAN),
    (Scalars::DURATION, Scalars::DURATION, Scalars::BOOLEAN),
];

/// Returns the symbol of a binary operator of the parser, and its overloads.
pub(super) fn binary(function: &str) -> Option<(&'static str, &'static [Overload])> {
    Some(match function {
        "_+_" => ("+", ADD),
        "_-_" => ("-", SUBTRACT),
        "_*_" => ("*", MULTIPLY),
        "_/_" => ("/", MULTIPLY),
        "_%_" => ("%", MODULO),
        "_<_" => ("<", COMPARE),
        "_<=_" => ("<=", COMPARE),
        "_>_" => (">", COMPARE),
        "_>=_" => (">=", COMPARE),
        _ => return None,
    })
}

/// Returns the type of a binary operator's result, or `None` if it fails for all operands.
pub(super) fn result(
    symbol: &str,
    overloads: &[Overload],
    left: &Type,
    right: &Type,
) -> Option<Type> {
    if left.is_never() || right.is_never() {
        return Some(Type::any());
    }
    let fitting = overloads
        .iter()
        .filter(|(a, b, _)| left.may_be(*a) && right.may_be(*b))
        .map(|(_, _, result)| Type::from(*result));
    let mut possible = fitting.fold(Type::never(), Type::or);
    if symbol == "+" && left.may_be_list() {
        // A map adds its keys, which may be of several kinds.
        if right.may_be_map() {
            possible = possible.or(Type::list(Type::any()));
        } else if right.may_be_list() {
            possible = possible.or(Type::list(left.items().or(right.items())));
        }
    }
    (!possible.is_never()).then_some(possible)
}
