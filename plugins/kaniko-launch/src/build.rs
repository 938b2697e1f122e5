//! The build: its pod is created and followed to its end.

use sidestep::kubernetes::CreateOptions;
use sidestep::{Creation, Result, Step};
use sidestep_pod::{Following, follow, start};

use crate::build_secrets::BuildSecrets;
use crate::digest;
use crate::identity::Identity;
use crate::inputs::{Inputs, Outputs};
use crate::logins;
use crate::outcome::outcome;
use crate::pod::pod;
use crate::printed::{Printed, patterns};
use crate::times::{self, Lines};

/// The bytes at the log's end that are searched for the lines after kaniko's error: its usage text
/// has some 10 KiB.
const TAIL: u32 = 16 * 1024;

/// Builds the image and returns its digest.
pub(crate) fn run(step: &Step, inputs: &Inputs) -> Result<Outputs> {
    let identity = Identity::new(inputs);
    if let Some(warning) = identity.warning() {
        step.annotate(warning);
    }
    // Before the pod: its log must hold none of these passwords.
    let logins = logins::read(step, inputs)?;
    let work = inputs.work();
    let name = step.object_name("build");
    let mut object = pod(&name, inputs, step.remaining());
    let secrets = BuildSecrets::get(step, inputs)?;
    let options = match &secrets {
        None => CreateOptions::temporary(),
        Some(secrets) => {
            secrets.mount(&mut object);
            secrets.options()
        }
    };
    let started = start(&work, name, &object, &options)?;
    let place = format!("{}/{}", inputs.namespace, started.pod.name);
    match started.outcome {
        Creation::Created => match &inputs.google_key {
            None => sidestep::info!("building in pod {place} as {}", inputs.service_account),
            Some(key) => {
                sidestep::info!(
                    "building in pod {place} with the key of Secret {}",
                    key.secret
                );
            }
        },
        Creation::AlreadyThere => {
            sidestep::info!("pod {place} is already building; following it");
        }
    }
    let mut printed = Printed::default();
    let mut lines = Lines::default();
    let following = Following {
        patterns: patterns().into_iter().chain(times::patterns()).collect(),
        tail: TAIL,
    };
    let followed = follow(step, &work, &started, following, |line| {
        lines.add(line);
        printed.add(line);
    })?;
    let mut outputs = outcome(&followed, &printed, inputs, &identity)?;
    outputs.times = lines.times(followed.seen.pod());
    digest::check(step, &mut outputs, &logins)?;
    Ok(outputs)
}
