//! Ignores its timeout.

use std::time::Duration;

use sidestep::{Class, Error, Owner, Result, Step};

use crate::Inputs;

pub(crate) fn run(step: &Step, inputs: &Inputs) -> Option<Result<String>> {
    let time = Duration::from_millis(inputs.count);
    Some(match inputs.act.as_str() {
        // Computes for that long, ignores a cancel, and returns.
        "time.late" => {
            compute(step, time);
            Ok("late".to_owned())
        }
        // Returns as soon as the timeout wakes it.
        "time.woken" => {
            let _ = step.sleep(time);
            Ok("woken".to_owned())
        }
        // Calls the host in a loop until it is told to stop, and returns.
        "time.calls" => {
            while !step.is_cancelled() {
                step.random(64 << 10);
            }
            Ok("called".to_owned())
        }
        // Reports a failure of another reason after its timeout.
        "time.excuse" => {
            let _ = step.sleep(time);
            Err(Error::new(
                Class::Unavailable,
                "attacker.excuse",
                Owner::Cloud,
                "the cloud was away",
            ))
        }
        "time.deaf" => loop {
            std::hint::spin_loop();
        },
        // Fails the first time, and asks for a wait of ages.
        "time.retry-after" if step.attempt() == 1 => {
            Err(Error::failed("attacker.later", "not now").retry_after(Duration::MAX))
        }
        "time.retry-after" => Ok("the second time".to_owned()),
        _ => return None,
    })
}

fn compute(step: &Step, time: Duration) {
    let until = step.now() + u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    while step.now() < until {}
}
