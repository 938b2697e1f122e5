//! Calls of clients that no other act makes.

use sidestep::registry::{ConfigQuery, config};
use sidestep::{Result, Step};

use crate::Inputs;

pub(crate) fn run(_: &Step, inputs: &Inputs) -> Option<Result<String>> {
    let found = match inputs.act.as_str() {
        // Reads the configuration of the first image.
        "clients.config" => config(ConfigQuery {
            image: inputs.texts.first().cloned().unwrap_or_default(),
            platform: None,
        }),
        _ => return None,
    };
    Some(found)
}
