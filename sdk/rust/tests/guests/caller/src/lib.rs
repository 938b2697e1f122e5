//! A plugin that calls the host many times, for measuring what a call costs.

use sidestep::{Error, Step, workspace};

/// The calls to make.
#[sidestep::data]
#[derive(Debug)]
struct Inputs {
    /// A file, for the call that asks the gate.
    path: String,
    /// The number of calls of the clock.
    clock: u32,
    /// The number of `stat` calls.
    stat: u32,
}

/// The duration of the calls.
#[sidestep::data]
#[derive(Debug)]
struct Outputs {
    /// Milliseconds for all calls of the clock, which is always available.
    clock: u64,
    /// Milliseconds for all `stat` calls, each of which passes the gate and is recorded.
    stat: u64,
}

/// Calls the host's clock and `stat` many times.
#[sidestep::plugin(name = "caller", requests(workspace = "[{'read': [inputs.path]}]"))]
fn run(step: &Step, inputs: Inputs) -> sidestep::Result<Outputs> {
    let started = step.now();
    for _ in 0..inputs.clock {
        if step.now() < started {
            return Err(Error::failed("caller.clock", "the clock went back"));
        }
    }
    let middle = step.now();
    for _ in 0..inputs.stat {
        workspace::stat(&inputs.path)?;
    }
    Ok(Outputs {
        clock: middle.saturating_sub(started),
        stat: step.now().saturating_sub(middle),
    })
}
