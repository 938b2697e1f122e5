//! Acts of a harmless step.

use sidestep::{Result, Step};

use crate::Inputs;

pub(crate) fn run(_: &Step, inputs: &Inputs) -> Option<Result<String>> {
    let found = match inputs.act.as_str() {
        "honest.answer" => "an answer".to_owned(),
        // Busy for `count` rounds of arithmetic.
        "honest.compute" => (0..inputs.count)
            .fold(1_u64, |sum, n| sum.wrapping_mul(31).wrapping_add(n))
            .to_string(),
        _ => return None,
    };
    Some(Ok(found))
}
