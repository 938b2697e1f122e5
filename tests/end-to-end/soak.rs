//! How often tests repeat what happens at random moments: a few times, or as often as
//! `cargo xtask soak` asks.

use std::fmt::Display;
use std::io::Write as _;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

/// The file to which the figures of `cargo xtask soak` go. Tests repeat more often if it is set.
const FIGURES: &str = "SIDESTEP_SOAK";
/// The seed of random moments. Without it, that of the property tests is used, or the clock.
const SEEDS: [&str; 2] = ["SIDESTEP_SEED", "PROPTEST_RNG_SEED"];

/// Returns how often to repeat.
pub(crate) fn times(few: u32, many: u32) -> u32 {
    if is_soak() { many } else { few }
}

/// Returns whether `cargo xtask soak` runs the test.
pub(crate) fn is_soak() -> bool {
    std::env::var_os(FIGURES).is_some()
}

/// Adds a row to the table of `cargo xtask soak`, and prints it.
pub(crate) fn row(what: impl Display, figure: impl Display) {
    println!("{what}: {figure}");
    let Some(file) = std::env::var_os(FIGURES) else {
        return;
    };
    let file = std::fs::File::options()
        .append(true)
        .create(true)
        .open(file);
    writeln!(file.unwrap(), "{what}\t{figure}").unwrap();
}

/// Random numbers that a seed determines: `SplitMix64` (Steele, Lea, Flood 2014).
pub(crate) struct Random(u64);

impl Random {
    /// Returns the numbers of one test, and prints their seed.
    pub(crate) fn of(test: &str) -> Self {
        let given = SEEDS
            .iter()
            .find_map(|name| std::env::var(name).ok()?.parse().ok());
        let clock = || {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs()
        };
        let seed = given.unwrap_or_else(clock);
        println!("{test}: SIDESTEP_SEED={seed}");
        Self(seed)
    }

    /// Returns the numbers of one of several threads.
    pub(crate) fn of_thread(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number of a range.
    pub(crate) fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }
}

#[test]
fn a_seed_determines_the_moments() {
    let take = |mut random: Random| -> Vec<u64> { (0..50).map(|_| random.within(3..9)).collect() };
    let numbers = take(Random(7));
    assert_eq!(numbers, take(Random(7)));
    assert_ne!(numbers, take(Random(8)));
    assert!(
        (3..9).all(|number| numbers.contains(&number)),
        "{numbers:?}"
    );
}
