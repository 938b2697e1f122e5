//! `cargo xtask bench`: compares Sidestep's costs with those of common alternatives, in one run on
//! one machine. No benchmark fails for being slow, because times differ between machines. Ratios
//! differ much less.

mod calls;
mod container;
mod context;
mod logs;
mod plan;
mod sample;
mod start;
mod steps;
mod table;
mod workbench;

use std::process::ExitCode;

use crate::{Result, release, say, tools};
use sample::Round;
use table::Row;
use workbench::Workbench;

/// The number of measured rounds, after one round that fills the caches.
const ROUNDS: usize = 15;

/// A function that measures alternatives side by side.
type Measure = fn(&Workbench, usize) -> Result<Vec<Row>>;

/// Measures, and prints a table, or JSON with `--output json`. `--rounds N` sets the number of
/// rounds.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let (rounds, json) = options(arguments)?;
    let path = tools::for_bench();
    let bench = Workbench::make(release::build()?, path)?;
    let mut rows = Vec::new();
    let measures: [(&str, Measure); 6] = [
        ("starts", start::measure),
        ("steps", steps::measure),
        ("planning", plan::measure),
        ("host calls", calls::measure),
        ("logs", logs::measure),
        ("a build context", context::measure),
    ];
    for (what, measure) in measures {
        say::doing(&format!("measuring {what}, {rounds} times"));
        rows.extend(measure(&bench, rounds)?);
    }
    say::doing("counting instructions, memory and sizes");
    let figures = start::figures(&bench);
    if json {
        table::json(&rows, &figures, rounds);
    } else {
        table::human(&rows, &figures);
    }
    Ok(ExitCode::SUCCESS)
}

fn options(arguments: &[String]) -> Result<(usize, bool)> {
    let (mut rounds, mut json) = (ROUNDS, false);
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(name) = arguments.next() {
        match (name, arguments.next()) {
            ("--output", Some("json")) => json = true,
            ("--output", Some("human")) => json = false,
            ("--rounds", Some(number)) if number.parse().is_ok_and(|n: usize| n > 0) => {
                rounds = number.parse().expect("it was parsed a line above");
            }
            _ => return Err("usage: cargo xtask bench [--rounds N] [--output human|json]".into()),
        }
    }
    Ok((rounds, json))
}
