//! Uses as much as possible of the resources that all steps share.

use sidestep::{Result, Step};

use crate::Inputs;

pub(crate) fn run(step: &Step, inputs: &Inputs) -> Option<Result<String>> {
    match inputs.act.as_str() {
        // Never ends.
        "hogs.loop" => loop {
            std::hint::black_box(step.attempt());
        },
        // Asks for memory until it gets no more, and writes to all of it.
        "hogs.memory" => {
            let mut all: Vec<Vec<u8>> = Vec::new();
            loop {
                all.push(vec![7; 1 << 20]);
                std::hint::black_box(&all);
            }
        }
        // Calls itself without end.
        "hogs.recurse" => Some(Ok(deeper(1).to_string())),
        // Waits for its deadline in a call of the host.
        "hogs.sleep" => loop {
            if let Err(error) = step.sleep(std::time::Duration::from_hours(1)) {
                return Some(Err(error));
            }
        },
        _ => None,
    }
}

#[allow(unconditional_recursion, reason = "that is the attack")]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box(deeper(std::hint::black_box(depth + 1))) + depth
}
