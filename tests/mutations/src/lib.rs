//! Runs a parser of untrusted bytes over stored inputs and seeded mutations of them, in an ordinary
//! build. This crate is only for tests, and knows no parser.
//!
//! A fuzz target is a plain function of bytes next to its parser. It is listed in its crate's
//! `fuzz` module with seed inputs. `cargo xtask fuzz` runs the same functions under a
//! coverage-guided fuzzer. Its findings are stored in `fuzz/corpus/NAME`, and from then on run here
//! too.

#![allow(
    clippy::disallowed_methods,
    reason = "the tests read variables of their own, not settings of the runner"
)]

mod mutate;

use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use mutate::Mutator;

/// A parser as a fuzzer calls it: its name, the function, and seed inputs.
pub type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// The number of mutations that [`check`] makes.
const MUTATIONS: usize = 1_000;
/// The longest input, in bytes. Parsers limit their input size, and the fuzzer should find paths,
/// not sizes.
const LONGEST: usize = 16 << 10;
/// The time limit for one input, far more than the slowest in an unoptimised build. A parser that
/// takes longer hangs.
const HANG: Duration = Duration::from_secs(20);
/// The variable with a number that selects other mutations than the default.
const SEED: &str = "SIDESTEP_FUZZ_SEED";

/// Runs the target over its inputs, the kept corpus, and 1,000 mutations of both.
///
/// # Panics
/// Panics if an input makes the target panic or hang. The message contains the input and the seed.
pub fn check((name, run, seeds): Target) {
    let mut inputs = seeds();
    assert!(!inputs.is_empty(), "{name} has no inputs to begin from");
    inputs.extend(corpus(name));
    let seed = std::env::var(SEED).map_or(1, |text| text.parse().expect("a number"));
    let (give, take) = channel::<Vec<u8>>();
    let (done, finished) = channel::<Result<(), String>>();
    // On a separate thread, so that a hang is detected, and with a stack of the usual size, so that
    // an input that exhausts it is detected too.
    let reader = thread::Builder::new()
        .stack_size(8 << 20)
        .spawn(move || {
            for input in take {
                let result = catch_unwind(AssertUnwindSafe(|| run(&input)));
                if done.send(result.map_err(|panic| message(&*panic))).is_err() {
                    return;
                }
            }
        })
        .expect("a thread");
    let mut mutator = Mutator::new(seed, name);
    let kept = inputs.len();
    for count in 0..kept + MUTATIONS {
        let input = match inputs.get(count) {
            Some(input) => input.clone(),
            None => mutator.mutate(&inputs, LONGEST),
        };
        give.send(input.clone()).expect("the reader lives");
        let problem = match finished.recv_timeout(HANG) {
            Ok(Ok(())) => continue,
            Ok(Err(panic)) => panic,
            Err(RecvTimeoutError::Timeout) => format!("it takes longer than {HANG:?}"),
            Err(RecvTimeoutError::Disconnected) => "its thread ended".to_owned(),
        };
        panic!(
            "{name}, input {count} with {SEED}={seed}: {problem}\nkeep it as a file in \
             fuzz/corpus/{name}:\n  printf '{}' > fuzz/corpus/{name}/NAME",
            shell(&input)
        );
    }
    drop(give);
    reader.join().expect("it ends with its inputs");
}

/// Writes each target's seed inputs to files for a fuzzer: `FOLDER/NAME/seed-N`.
///
/// # Errors
/// Returns an error if a file cannot be written.
pub fn write_seeds(targets: &[Target], folder: &Path) -> std::io::Result<()> {
    for (name, _, seeds) in targets {
        let folder = folder.join(name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds().iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}

/// Returns the stored inputs of a target, by name.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(name);
    let Ok(entries) = fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| fs::read(file).expect("a file of the corpus"))
        .collect()
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_default())
}

/// Returns the bytes as an argument of `printf`.
fn shell(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'\'' | b'%' | b'\\' | ..0x20 | 0x7f.. => {
                let _ = write!(text, "\\{byte:03o}");
            }
            _ => text.push(char::from(*byte)),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeds() -> Vec<Vec<u8>> {
        vec![b"(a (b) c)".to_vec()]
    }

    #[test]
    #[should_panic(expected = "panicked: two zeros")]
    fn a_reader_that_panics_is_found() {
        fn run(bytes: &[u8]) {
            let zeros = bytes.split(|byte| *byte == 0).count() - 1;
            assert!(zeros < 2, "two zeros");
        }
        check(("panics", run, seeds));
    }

    #[test]
    fn mutations_are_bounded_and_the_same_for_a_seed() {
        let inputs = seeds();
        let all = |seed| {
            let mut mutator = Mutator::new(seed, "x");
            (0..500)
                .map(|_| mutator.mutate(&inputs, 64))
                .collect::<Vec<_>>()
        };
        let first = all(1);
        assert_eq!(first, all(1));
        assert_ne!(first, all(2));
        assert!(first.iter().all(|input| input.len() <= 64));
        let distinct: std::collections::BTreeSet<_> = first.iter().collect();
        assert!(distinct.len() > 300, "{}", distinct.len());
    }

    #[test]
    fn an_input_is_shown_as_printf_takes_it() {
        assert_eq!(shell(b"a'%\\\n\xff"), r"a\047\045\134\012\377");
    }
}
