//! The command: its pod is created and followed to its end.

use sidestep::kubernetes::CreateOptions;
use sidestep::{Creation, Result, Step};
use sidestep_pod::{Following, follow, start};

use crate::inputs::{Inputs, Outputs};
use crate::outcome::outcome;
use crate::pod::pod;
use crate::secrets::Handles;

/// The bytes at the log's end in which the last line is searched.
const TAIL: u32 = 4 * 1024;

/// Runs the command and returns its outputs.
pub(crate) fn run(step: &Step, inputs: &Inputs) -> Result<Outputs> {
    let handles = Handles::of(inputs)?;
    let work = inputs.work();
    let name = step.object_name("pod");
    let secret = step.object_name("secret");
    let object = pod(&name, &secret, inputs, step.remaining());
    let options = CreateOptions {
        secret_data: handles.data(&secret),
        ..CreateOptions::temporary()
    };
    let started = start(&work, name, &object, &options)?;
    let place = format!("{}/{}", inputs.namespace, started.pod.name);
    match started.outcome {
        Creation::Created => {
            sidestep::info!("running in pod {place} as {}", inputs.service_account);
        }
        Creation::AlreadyThere => sidestep::info!("pod {place} is already running; following it"),
    }
    let following = Following {
        patterns: Vec::new(),
        tail: TAIL,
    };
    let followed = follow(step, &work, &started, following, |_| {})?;
    outcome(&followed, inputs)
}
