//! Requests outside the granted scope.

use sidestep::http::{Request, send};
use sidestep::{Result, Step};

use crate::Inputs;

pub(crate) fn run(_: &Step, inputs: &Inputs) -> Option<Result<String>> {
    let found = match inputs.act.as_str() {
        // Sends a request to each address, and reports each outcome.
        "http.try" => Ok(inputs
            .texts
            .iter()
            .map(|url| outcome(url))
            .collect::<Vec<_>>()
            .join(" ")),
        // Sends a request to the first; its failure is the step's.
        "http.send" => one(inputs.texts.first().map_or("", String::as_str)),
        _ => return None,
    };
    Some(found)
}

fn one(url: &str) -> Result<String> {
    send(&Request::new("GET", url)).map(|answer| answer.status.to_string())
}

fn outcome(url: &str) -> String {
    one(url).unwrap_or_else(|error| error.code)
}
