//! The types of expressions: which values a name may have, and which parts of an expression fail
//! for all of them.
//!
//! A [`Type`] is the set of the values that are possible, so a name of which nothing is known may
//! be anything. An expression is wrong only if a part of it fails for *every* possible value. It
//! follows that an error is never false, and that a value of the wrong kind may still be found in
//! the run only.

mod check;
mod functions;
mod operators;
mod possible;

pub use check::{Mistake, Names, check};
pub use possible::{Fields, Scalars, Type};
