//! Steps that use much memory in parallel.

use std::hint::black_box;

use sidestep::{Result, Step};

use crate::Inputs;

pub(crate) fn run(_: &Step, inputs: &Inputs) -> Option<Result<String>> {
    let grow = || vec![1_u8; usize::try_from(inputs.count).unwrap_or(usize::MAX) << 20];
    match inputs.act.as_str() {
        // Takes `count` MiB, and gives them back by its end.
        "together.grow" => Some(Ok(black_box(grow()).len().to_string())),
        // Takes `count` MiB, and keeps them for ever.
        "together.hold" => {
            let held = grow();
            loop {
                black_box(&held);
            }
        }
        _ => None,
    }
}
