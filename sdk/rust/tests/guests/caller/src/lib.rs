//! A plugin that calls the host many times, for measuring what a call costs.

use sidestep::{Error, Step, workspace};

/// What to call.
#[sidestep::data]
#[derive(Debug)]
struct Inputs {
    /// A file, for the call that asks the gate.
    path: String,
    /// How often the clock is asked.
    clock: u32,
    /// How often the file is looked at.
    stat: u32,
}

/// How long the calls took.
#[sidestep::data]
#[derive(Debug)]
struct Outputs {
    /// Milliseconds for all calls of the clock, which is always there.
    clock: u64,
    /// Milliseconds for all looks at the file, each of which passes the gate and is recorded.
    stat: u64,
}

/// Calls the host's clock, and looks at a file, many times.
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
