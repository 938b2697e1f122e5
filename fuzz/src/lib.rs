//! Lets one program fuzz any of a crate's readers: a variable says which.

use std::path::PathBuf;
use std::process::exit;
use std::sync::OnceLock;

use sidestep_mutations::{Target, write_seeds};

/// Names the target; `list` prints the names there are.
const TARGET: &str = "SIDESTEP_FUZZ_TARGET";
/// Names the folder that gets the target's first inputs.
const SEEDS: &str = "SIDESTEP_FUZZ_SEEDS";

static CHOSEN: OnceLock<fn(&[u8])> = OnceLock::new();

/// Chooses a target by `SIDESTEP_FUZZ_TARGET`, and writes its first inputs to the folder
/// `SIDESTEP_FUZZ_SEEDS` before the fuzzer reads them.
pub fn choose(targets: &[Target]) {
    let name = std::env::var(TARGET).unwrap_or_default();
    let Some(target) = targets.iter().find(|(known, _, _)| *known == name) else {
        for (known, _, _) in targets {
            println!("{known}");
        }
        exit(i32::from(name != "list"));
    };
    if let Some(folder) = std::env::var_os(SEEDS)
        && let Err(error) = write_seeds(&[*target], &PathBuf::from(&folder))
    {
        eprintln!("cannot write inputs to {}: {error}", folder.display());
        exit(1);
    }
    CHOSEN.get_or_init(|| target.1);
}

/// Gives the bytes to the chosen target.
pub fn run(bytes: &[u8]) {
    if let Some(target) = CHOSEN.get() {
        target(bytes);
    }
}
