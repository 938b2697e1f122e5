//! A hostile plugin: performs the attack that its inputs name.
//!
//! Each kind of attack has a module with a function `run`, which answers `None` for an act that is
//! not its own. A new act is a match arm there; a new kind is a module and an entry in `KINDS`.

mod budgets;
mod checks;
mod claims;
mod clients;
mod cluster;
mod files;
mod hogs;
mod honest;
mod http;
mod secrets;
mod texts;
mod time;
mod together;

use serde_json::Value;
use sidestep::{Check, Diagnostic, Error, Result, Step};

/// The attack and its parameters.
#[sidestep::data]
#[derive(Debug)]
pub(crate) struct Inputs {
    /// The attack's name: `KIND.ACT`.
    #[serde(default)]
    act: String,
    /// The act's input: texts, paths, addresses.
    #[serde(default)]
    texts: Vec<String>,
    /// The act's number: of repetitions, bytes or milliseconds.
    #[serde(default)]
    count: u64,
    /// The scopes that the plugin requests of each capability.
    #[serde(default)]
    workspace: Vec<Value>,
    /// As `workspace`.
    #[serde(default)]
    storage: Vec<Value>,
    /// As `workspace`.
    #[serde(default)]
    kubernetes: Vec<Value>,
    /// As `workspace`.
    #[serde(default)]
    registry: Vec<Value>,
    /// As `workspace`.
    #[serde(default)]
    http: Vec<Value>,
    /// As `workspace`.
    #[serde(default)]
    secrets: Vec<Value>,
}

/// The result of the attack.
#[sidestep::data]
#[derive(Debug)]
struct Outputs {
    /// The result of the act, such as the content that it could read.
    found: String,
}

type Kind = fn(&Step, &Inputs) -> Option<Result<String>>;

const KINDS: &[Kind] = &[
    budgets::run,
    claims::run,
    clients::run,
    cluster::run,
    files::run,
    hogs::run,
    honest::run,
    http::run,
    secrets::run,
    texts::run,
    time::run,
    together::run,
];

/// Performs the attack that its inputs name.
#[sidestep::plugin(
    name = "attacker",
    requests(
        workspace = "inputs.workspace",
        storage = "inputs.storage",
        kubernetes = "inputs.kubernetes",
        registry = "inputs.registry",
        http = "inputs.http",
        secrets = "inputs.secrets"
    ),
    check = check
)]
fn run(step: &Step, inputs: Inputs) -> Result<Outputs> {
    let found = KINDS.iter().find_map(|kind| kind(step, &inputs));
    let unknown = || Err(Error::failed("attacker.unknown-act", inputs.act.clone()));
    Ok(Outputs {
        found: found.unwrap_or_else(unknown)?,
    })
}

fn check(_: &Check, known: Inputs) -> Vec<Diagnostic> {
    checks::run(&known)
}
