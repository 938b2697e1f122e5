//! `cargo xtask soak [NAME] [--seed N]`: repeats the tests of random moments, and those that take
//! minutes, in full.

use std::env;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::profile::Profile;
use crate::{Result, cargo, cluster, guests, say, tools};

/// The file of figures, whose presence lets the tests repeat in full.
const FIGURES: &str = "SIDESTEP_SOAK";
/// The seed of random moments.
const SEED: &str = "SIDESTEP_SEED";

/// Tests that a soak repeats.
struct Soak {
    name: &'static str,
    what: &'static str,
    /// The arguments that select them for `cargo test`.
    tests: &'static [&'static str],
}

const END_TO_END: [&str; 4] = ["-p", "sidestep", "--test", "it"];

const SOAKS: &[Soak] = &[
    Soak {
        name: "kills",
        what: "200 runs killed at random moments, in the sandbox",
        tests: &["random_kills::"],
    },
    Soak {
        name: "stops",
        what: "on a real node, 20 runs killed and 20 stops of the API server",
        tests: &["random_stops::"],
    },
    Soak {
        name: "disruptions",
        what: "eviction, deletion, drain, preemption and a stopped kubelet, on a real node",
        tests: &["disruptions::"],
    },
    Soak {
        name: "scenarios",
        what: "every broken link of a build's identity, on a real node",
        tests: &["broken_on_a_node::"],
    },
    Soak {
        name: "role",
        what: "the printed Role without one verb each, on a real node",
        tests: &["least_role::"],
    },
    Soak {
        name: "logs",
        what: "100 MB of log in files of 10 MiB, whole and over cut connections",
        tests: &["rotated_logs::"],
    },
];

/// Runs one soak, or all of them, and prints a table of what they found.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let (name, seed) = options(arguments)?;
    let chosen = SOAKS
        .iter()
        .filter(|soak| name.is_none_or(|name| name == soak.name));
    let chosen: Vec<&Soak> = chosen.collect();
    if chosen.is_empty() {
        let names: Vec<&str> = SOAKS.iter().map(|soak| soak.name).collect();
        let name = name.unwrap_or_default();
        return Err(format!(
            "no soak `{name}`; the soaks are {}",
            names.join(", ")
        ));
    }
    let path = tools::for_tests()?;
    cluster::prepare()?;
    cluster::prepare_clients()?;
    let plugins = guests::build(Profile::Dev)?;
    let test_guests = guests::build_for_tests()?;
    let figures = env::temp_dir().join(format!("sidestep-soak-{}", std::process::id()));
    let mut failed = Vec::new();
    for soak in chosen {
        say::doing(&format!("{}, with seed {seed}", soak.what));
        let mut test = cargo::cargo();
        test.arg("test")
            .args(END_TO_END)
            .arg("--")
            .args(soak.tests)
            .args(["--nocapture", "--test-threads=1"])
            .env(guests::PLUGINS, &plugins)
            .env(guests::TESTS, &test_guests)
            .env("PATH", &path)
            .env("CI", "true")
            .env(SEED, seed.to_string())
            .env(FIGURES, &figures);
        if let Err(why) = cargo::run(&mut test) {
            failed.push(format!("{}: {why}", soak.name));
        }
    }
    say::times();
    print!("{}", table(&figures));
    // It may never have been written.
    let _ = fs::remove_file(figures);
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(format!(
        "{}\nrepeat it with --seed {seed}",
        failed.join("\n")
    ))
}

fn options(arguments: &[String]) -> Result<(Option<&str>, u64)> {
    let usage = || "usage: cargo xtask soak [NAME] [--seed N]".to_owned();
    let clock = SystemTime::now().duration_since(UNIX_EPOCH);
    let (mut name, mut seed) = (None, clock.map_or(1, |time| time.as_secs()));
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--seed" => {
                let number = rest.next().and_then(|text| text.parse().ok());
                seed = number.ok_or_else(usage)?;
            }
            text if !text.starts_with('-') && name.is_none() => name = Some(text),
            _ => return Err(usage()),
        }
    }
    Ok((name, seed))
}

/// Returns the rows that the tests wrote, as a table for `docs/benchmarks.md`.
fn table(figures: &Path) -> String {
    let rows = fs::read_to_string(figures).unwrap_or_default();
    let rows = rows.lines().filter_map(|row| row.split_once('\t'));
    let rows: String = rows
        .map(|(what, figure)| format!("| {what} | {figure} |\n"))
        .collect();
    format!("| what was repeated | result |\n|---|---|\n{rows}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_soak_has_a_name_and_a_seed() {
        let words =
            |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
        let seed =
            |line: &str| options(&words(line)).map(|(name, seed)| (name.map(str::to_owned), seed));
        assert_eq!(seed("kills --seed 7"), Ok((Some("kills".to_owned()), 7)));
        assert_eq!(seed("--seed 7"), Ok((None, 7)));
        for wrong in ["a b", "--seed", "--seed x", "--all"] {
            assert!(seed(wrong).is_err(), "{wrong}");
        }
    }
}
