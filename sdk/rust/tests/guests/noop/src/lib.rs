//! A plugin that touches nothing, for tests and for measuring what a step costs.

use sidestep::{Duration, Error, Step};

/// The actions to perform.
#[sidestep::data]
#[derive(Debug, Default)]
struct Inputs {
    /// A line for the log.
    #[serde(default)]
    message: Option<String>,
    /// The number of further lines to log.
    #[serde(default)]
    lines: u32,
    /// The number of bytes of each of those lines.
    #[serde(default)]
    bytes: usize,
    /// The time to wait.
    #[serde(default)]
    wait: Option<Duration>,
    /// Fail with this message.
    #[serde(default)]
    fail: Option<String>,
    /// Panic with this message.
    #[serde(default)]
    panic: Option<String>,
}

/// The performed actions.
#[sidestep::data]
#[derive(Debug)]
struct Outputs {
    /// The number of the attempt.
    attempt: u32,
    /// The line that was logged.
    message: Option<String>,
}

/// Does nothing.
#[sidestep::plugin(name = "noop")]
fn run(step: &Step, inputs: Inputs) -> sidestep::Result<Outputs> {
    if let Some(message) = &inputs.message {
        sidestep::info!("{message}");
    }
    let line = "x".repeat(inputs.bytes);
    for _ in 0..inputs.lines {
        sidestep::info!("{line}");
    }
    if let Some(wait) = inputs.wait {
        step.sleep(wait.get())?;
    }
    if let Some(message) = inputs.fail {
        return Err(Error::failed("noop.failed", message).help("leave `fail` out"));
    }
    if let Some(message) = inputs.panic {
        panic!("{message}");
    }
    Ok(Outputs {
        attempt: step.attempt(),
        message: inputs.message,
    })
}
